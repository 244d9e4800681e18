import { cp, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, removeProjects } from "./project.js";
import { requireCkpt } from "./run-ckpt.js";

let project: string;
let worst: string;

beforeAll(async () => {
  project = await copyProject(inject("finished").project);
  await cp(join(project, "runs/points"), join(project, "runs/copy"), { recursive: true, verbatimSymlinks: true });
  const ranking = JSON.parse(await readFile(join(project, "runs/points/ranking.json"), "utf8")) as {
    readonly candidates: readonly { readonly id: string }[];
  };
  worst = ranking.candidates.at(-1)?.id ?? "";
});
afterAll(removeProjects);

interface Diff {
  readonly isSameRows: boolean;
  readonly metrics: readonly {
    readonly name: string;
    readonly first: { readonly value: number };
    readonly second: { readonly value: number };
    readonly difference?: { readonly value: number; readonly interval: readonly [number, number] };
    readonly verdict: string;
  }[];
}

async function diff(...given: readonly string[]): Promise<Diff> {
  return JSON.parse((await requireCkpt(["diff", ...given, "--json"], { cwd: project })).stdout) as Diff;
}

describe("ckpt diff of two runs", () => {
  it("ties equal picks, and gives the change from the first to the second", async () => {
    const same = await diff("runs/points", "runs/copy");
    expect(same.isSameRows).toBe(true);
    expect(same.metrics).toMatchObject([
      { name: "accuracy", verdict: "tied", difference: { value: 0, interval: [0, 0] } },
      { name: "logLoss", verdict: "tied" },
    ]);
    const other = await diff("runs/points", `runs/copy/artifacts/${worst}`, "--metric", "logLoss");
    const [logLoss] = other.metrics;
    expect(logLoss?.difference?.value).toBeCloseTo((logLoss?.second.value ?? 0) - (logLoss?.first.value ?? 0), 9);
    const [low = 0, high = 0] = logLoss?.difference?.interval ?? [];
    expect(logLoss?.verdict).toBe(high < 0 ? "better" : low > 0 ? "worse" : "tied");
    const { stdout } = await requireCkpt(["diff", "runs/points", `runs/copy/artifacts/${worst}`], { cwd: project });
    expect(stdout).toMatch(
      /^first runs\/points\/artifacts\/.*, second runs\/copy\/.*, on the same \d+ rows of split select\n/,
    );
    expect(stdout).toMatch(/\naccuracy↑ .* (better|worse|tied)\nlogLoss↓ .* (better|worse|tied)\n$/);
  });

  it("has no verdict where the rows differ", async () => {
    // Predictions on test rows that call themselves select ones.
    const scored = ["evaluate", "runs/copy", "--data", "points.csv", "--input", "point=x,y", "--label", "color"];
    await rename(join(project, "runs/copy/evaluations"), join(project, "evaluations"));
    await requireCkpt([...scored, "--split", "select"], { cwd: project });
    const { isSameRows, metrics } = await diff("runs/points", "runs/copy");
    expect(isSameRows).toBe(false);
    expect(metrics.map(({ verdict }) => verdict)).toEqual(["unknown", "unknown"]);
    expect(metrics[0]).not.toHaveProperty("difference");
  });
});
