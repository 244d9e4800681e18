import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createFolder, createProject, editConfig, removeProjects } from "./project.js";
import { type Outcome, requireCkpt, runCkpt } from "./run-ckpt.js";

afterAll(removeProjects);

/** What every failure looks like: nothing on stdout, code and remedy on stderr, and no stack. */
function expectFailure({ code, stdout, stderr }: Outcome, exitCode: number, errorCode: string): void {
  expect(stderr).toContain(`error ${errorCode}: `);
  expect(code).toBe(exitCode);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^ {2}\S.*[.]$/);
}

describe("wrong usage ends with 2", () => {
  it.concurrent.each([
    [["evalute", "runs"], "unknown command evalute. Did you mean evaluate?"],
    [[], "no command given"],
    [["show"], "Not enough non-option arguments"],
    [["show", "one", "two"], "Unknown argument: two"],
    [["ls", "--verbose"], "Unknown argument: verbose"],
    [["rank", "run", "--split"], "Not enough arguments following: split"],
    [["rank", "run", "--split", "a", "--split", "b"], "--split is given more than once"],
    [["evaluate", "runs", "--label", "color"], "label -> data"],
  ] as const)("ckpt %j", async (given, message) => {
    const outcome = await runCkpt(given, { cwd: import.meta.dirname });
    expectFailure(outcome, 2, "USAGE");
    expect(outcome.stderr).toContain(message);
  });

  it.concurrent("an option that contradicts another", async () => {
    const project = await createProject();
    const both = await runCkpt(["train", "--resume", "--fresh"], { cwd: project });
    expectFailure(both, 2, "INVALID_OPTION");
    expect(both.stderr).toContain("--fresh: expected not together with --resume");
  });
});

describe("a wrong configuration ends with 2", () => {
  it.concurrent("and all its problems are listed at once, each by its path", async () => {
    const project = await createProject(
      ["epochs: 6", `epochs: "6"`],
      ["batchSize: 16", "batchSize: 0, batchsize: 16"],
      [`columns: ["x", "y"]`, "columns: 5"],
      [`backend: "cpu"`, `backend: "gpu" as "cpu", evaluate: { metrics: ["acuracy"] }`],
    );
    const outcome = await runCkpt(["run"], { cwd: project });
    expectFailure(outcome, 2, "CONFIG_INVALID");
    expect(outcome.stderr).toContain("ckpt.config.ts: 6 problem(s) in the configuration:");
    for (const line of [
      "  train.epochs: Invalid input: expected number, received string",
      "  train.batchSize: Too small: expected number to be >0",
      `  train: Unrecognized key: "batchsize"`,
      "  data.inputs.point.columns: expected a column's name, a list of names, or a regular expression",
      `  backend: Invalid option: expected one of "auto"|"tensorflow"|"wasm"|"cpu"`,
    ]) {
      expect(outcome.stderr.split("\n")).toContain(line);
    }
    expect(outcome.stderr).toContain("  evaluate.metrics.0: no metric acuracy; there are: accuracy, logLoss, ");
  });

  it.concurrent("where there is none", async () => {
    const outcome = await runCkpt(["train"], { cwd: await createFolder() });
    expectFailure(outcome, 2, "CONFIG_NOT_FOUND");
    expect(outcome.stderr).toContain("ckpt.config.ts");
  });

  it.concurrent("where it names a split that its data does not have, before anything is trained", async () => {
    const project = await createProject([`backend: "cpu",`, `backend: "cpu", evaluate: { split: "holdout" },`]);
    const outcome = await runCkpt(["run"], { cwd: project });
    expectFailure(outcome, 2, "SPLIT_NOT_FOUND");
    expect(outcome.stderr).toContain("no split holdout; there are: train, validation, select, test");
    expect(outcome.stderr).not.toContain("✔");
  });
});

describe("a run that is there already", () => {
  let project: string;
  beforeAll(async () => {
    project = await copyProject(inject("finished").project);
    for (const name of ["artifacts", "evaluations", "ranking.json", "best"]) {
      await rm(join(project, "runs/points", name), { recursive: true });
    }
  });

  it("has no artifacts before it is frozen: 3", async () => {
    const outcome = await runCkpt(["evaluate", "runs/points"], { cwd: project });
    expectFailure(outcome, 3, "ARTIFACT_NOT_FOUND");
    expect(outcome.stderr).toContain("runs/points/artifacts: no artifact there");
    expect(outcome.stderr).toContain("ckpt freeze");
  });

  it("has a damaged checkpoint, which freeze names: 3", async () => {
    const { stdout } = await requireCkpt(["ls", "--json"], { cwd: project });
    const { runs } = JSON.parse(stdout) as {
      readonly runs: readonly { readonly checkpoints: readonly { id: string }[] }[];
    };
    const ids = runs[0]?.checkpoints.map(({ id }) => id) ?? [];
    const path = join("runs/points/checkpoints", ids[1] ?? "", "weights.bin");
    const bytes = await readFile(join(project, path));
    await writeFile(
      join(project, path),
      Uint8Array.from(bytes, (byte, index) => (index === 0 ? byte ^ 1 : byte)),
    );
    const weights = await runCkpt(["freeze", "runs/points", "--quiet"], { cwd: project });
    expectFailure(weights, 3, "DIGEST_MISMATCH");
    expect(weights.stderr).toContain(`${path}: expected SHA-256`);
    await writeFile(join(project, path), bytes);

    // Where it is the manifest that is damaged, the others are frozen, and the exit code still tells.
    const manifest = join("runs/points/checkpoints", ids[1] ?? "", "checkpoint.json");
    const text = await readFile(join(project, manifest), "utf8");
    await writeFile(join(project, manifest), text.replace(`"step"`, `"Step"`));
    const skipped = await runCkpt(["freeze", "runs/points", "--json", "--quiet"], { cwd: project });
    expect(skipped.code).toBe(3);
    expect(skipped.stderr).toContain(`left out: ${manifest}: not a valid manifest`);
    const document = JSON.parse(skipped.stdout) as {
      readonly artifacts: readonly object[];
      readonly skipped: string[];
    };
    expect(document.artifacts).toHaveLength(ids.length - 1);
    expect(document.skipped).toHaveLength(1);
    await writeFile(join(project, manifest), text);
  });

  it("is of another configuration: 2, and with --fresh it is trained again", async () => {
    await editConfig(project, [`name: "points",`, `name: "points", seed: 1,`]);
    const refused = await runCkpt(["train"], { cwd: project });
    expectFailure(refused, 2, "RUN_EXISTS");
    expect(refused.stderr).toContain("--fresh");
    const fresh = await requireCkpt(["train", "--fresh"], { cwd: project });
    expect(fresh.stderr).toContain("save ");
  });
});

describe("bad data ends with 3", () => {
  it.concurrent("and file, row and column are named", async () => {
    const project = await createProject();
    const path = join(project, "points.csv");
    const lines = (await readFile(path, "utf8")).split("\n");
    lines[7] = lines[7]?.replace(/,[^,]*,/, ",much,") ?? "";
    await writeFile(path, lines.join("\n"));
    const outcome = await runCkpt(["train"], { cwd: project });
    expectFailure(outcome, 3, "DATA_CELL_INVALID");
    expect(outcome.stderr).toMatch(/points\.csv: row 7, column y: expected .*, found "much"/);
  });
});

describe("a run that fails ends with 4", () => {
  it.concurrent("where its folder cannot be made", async () => {
    const project = await createProject();
    await writeFile(join(project, "runs"), "a file where the folder of the runs would be");
    const outcome = await runCkpt(["train"], { cwd: project });
    expectFailure(outcome, 4, "FILE_SYSTEM");
    expect(outcome.stderr).toContain("runs/points");
  });

  it.skipIf(process.getuid?.() === 0)("where it may not write (not shown to root, who may)", async () => {
    const project = await createProject();
    await chmod(project, 0o555);
    const outcome = await runCkpt(["train"], { cwd: project });
    await chmod(project, 0o755);
    expectFailure(outcome, 4, "FILE_SYSTEM");
    expect(outcome.stderr).toContain("EACCES");
  });

  it.concurrent("where the model's own code throws, with a stack if --debug asks for it", async () => {
    const project = await createProject(["model: () => {", `model: () => { throw new TypeError("no such layer");`]);
    const outcome = await runCkpt(["train"], { cwd: project });
    expectFailure(outcome, 4, "INTERNAL");
    expect(outcome.stderr).toContain("no such layer");
    const { stderr } = await runCkpt(["train", "--resume", "--debug"], { cwd: project });
    expect(stderr).toMatch(/^TypeError: no such layer\n +at .*ckpt\.config\.ts/m);
  });
});

describe("--json", () => {
  it.concurrent("prints one document for an error too, and the text stays on stderr", async () => {
    const { code, stdout, stderr } = await runCkpt(["show", "nowhere", "--json"], { cwd: import.meta.dirname });
    expect(code).toBe(3);
    expect(stderr).toContain("error MANIFEST_MISSING: nowhere: no manifest");
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      error: {
        code: "MANIFEST_MISSING",
        message: expect.stringContaining("nowhere"),
        remedy: expect.any(String),
        details: { path: "nowhere" },
      },
    });
  });

  it.concurrent("prints one for a command line that is not understood", async () => {
    const { code, stdout } = await runCkpt(["--json", "ls", "--nonsense"], { cwd: import.meta.dirname });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      error: { code: "USAGE", message: "Unknown argument: nonsense" },
    });
  });
});
