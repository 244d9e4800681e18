import { describe, expect, it } from "vitest";
import yargs from "yargs";

import type { Command } from "../command.js";
import { averageCommand } from "./average.js";
import { diffCommand } from "./diff.js";
import { doctorCommand } from "./doctor.js";
import { evaluateCommand } from "./evaluate.js";
import { exportCommand } from "./export.js";
import { freezeCommand } from "./freeze.js";
import { gateCommand } from "./gate.js";
import { lsCommand } from "./ls.js";
import { pinCommand } from "./pin.js";
import { promoteCommand } from "./promote.js";
import { rankCommand } from "./rank.js";
import { runCommand } from "./run.js";
import { showCommand } from "./show.js";
import { soupCommand } from "./soup.js";
import { trainCommand } from "./train.js";
import { verifyCommand } from "./verify.js";

/** Takes a command line apart as its own parser does; throws where that refuses it. */
async function parse<Arguments>(command: Command<Arguments>, line: readonly string[]): Promise<object> {
  let parsed: object = {};
  await yargs([...line])
    .exitProcess(false)
    .strict()
    .parserConfiguration({ "greedy-arrays": false })
    .option("json", { type: "boolean" })
    .fail((message, error) => {
      throw error ?? new Error(message);
    })
    .command(
      command.usage,
      command.summary,
      (options) => command.options(options as Parameters<typeof command.options>[0]),
      (given) => void (parsed = given),
    )
    .parseAsync();
  return parsed;
}

function expectWorkingExamples<Arguments>(command: Command<Arguments>): void {
  const name = command.usage.split(" ", 1).join();
  describe(`ckpt ${name}`, () => {
    it("has examples, each a command line that it takes", async () => {
      expect(command.examples.length).toBeGreaterThan(0);
      for (const [line, effect] of command.examples) {
        const words = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", "")) ?? [];
        expect(words[0]).toBe(name);
        await expect(parse(command, words)).resolves.toHaveProperty("$0");
        expect(effect).not.toBe("");
      }
    });
  });
}

expectWorkingExamples(runCommand);
expectWorkingExamples(trainCommand);
expectWorkingExamples(averageCommand);
expectWorkingExamples(freezeCommand);
expectWorkingExamples(evaluateCommand);
expectWorkingExamples(rankCommand);
expectWorkingExamples(soupCommand);
expectWorkingExamples(gateCommand);
expectWorkingExamples(promoteCommand);
expectWorkingExamples(exportCommand);
expectWorkingExamples(lsCommand);
expectWorkingExamples(showCommand);
expectWorkingExamples(diffCommand);
expectWorkingExamples(verifyCommand);
expectWorkingExamples(pinCommand);
expectWorkingExamples(doctorCommand);

describe("ckpt average", () => {
  it("takes one choice of checkpoints, and a metric for the best only", async () => {
    for (const line of ["--last 2 --best 2", "--last 2 --steps 1,2", "--best 2 --steps 1,2"]) {
      await expect(parse(averageCommand, ["average", "a", ...line.split(" ")])).rejects.toThrow("exclusive");
    }
    for (const line of ["--last 2 --monitor loss", "--steps 1,2 --mode min"]) {
      await expect(parse(averageCommand, ["average", "a", ...line.split(" ")])).rejects.toThrow("best");
    }
  });
});

describe("ckpt evaluate", () => {
  it("takes a repeated option one value at a time, before or after the target", async () => {
    const line = ["evaluate", "--metric", "accuracy", "runs/dense", "--metric", "logLoss"];
    expect(await parse(evaluateCommand, line)).toMatchObject({ target: "runs/dense", metric: ["accuracy", "logLoss"] });
  });

  it("takes the options of a file with --data only", async () => {
    for (const option of ["--label", "--scale", "--shape", "--classes"]) {
      await expect(parse(evaluateCommand, ["evaluate", "a", option, "1"])).rejects.toThrow("data");
    }
    await expect(parse(evaluateCommand, ["evaluate", "a", "--data", "f", "--config", "."])).rejects.toThrow(
      "exclusive",
    );
  });
});
