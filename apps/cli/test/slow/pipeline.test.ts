import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createProject, readRun, readTree, removeProjects } from "../project.js";
import { requireCkpt, runCkpt } from "../run-ckpt.js";

const first = inject("finished");
let project: string;
let run: string;

beforeAll(async () => {
  project = await copyProject(first.project);
  run = join(project, "runs/points");
});
afterAll(removeProjects);

describe("ckpt run", () => {
  it("leaves every folder and file of a run, with one artifact for each checkpoint", async () => {
    const names = (await readdir(run)).filter((name) => !name.startsWith("."));
    expect(names).toEqual([
      "artifacts",
      "best",
      "checkpoints",
      "evaluations",
      "history.jsonl",
      "ranking.json",
      "run.json",
      "test-reads.jsonl",
      "timings.jsonl",
    ]);
    const checkpoints = await readdir(join(run, "checkpoints"));
    expect(checkpoints).toHaveLength(3);
    expect(await readdir(join(run, "artifacts"))).toEqual(checkpoints);
    expect((await readdir(join(run, "best"))).toSorted()).toEqual(
      ["artifact.json", "frozen.pb", "graph-model", "model.onnx", "saved-model"].toSorted(),
    );
    // One for each artifact on the select split, and one of the pick on the test split.
    const evaluations = await readdir(join(run, "evaluations"));
    expect(evaluations.filter((name) => name.includes(".select."))).toHaveLength(3);
    expect(evaluations.filter((name) => name.includes(".test."))).toHaveLength(1);
  });

  it("prints the ranking, the test score of the pick and the link to it on stdout", async () => {
    const tree = await readTree(run);
    const pick = tree["best"]?.replace("artifacts/", "") ?? "";
    const lines = first.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^rank {2}candidate +accuracy↑ {2}95 % interval +vs best {2}95 % interval +McNemar p {2}logLoss {2}95 % interval +status$/,
    );
    expect(lines[1]).toMatch(new RegExp(String.raw`^ +1 {2}${pick} .*\[0\.\d{4}, \d\.\d{4}\].*★ best$`));
    for (const line of lines.slice(2, 4)) expect(line).toMatch(/^( +1= .*≈ tied| +\d .*▼ worse)$/);
    expect(lines[4]).toMatch(new RegExp(`^on split select, \\d+ rows; pick ${pick}(, tied with \\d)?, decided by `));
    expect(lines[5]).toMatch(
      /^test accuracy \d\.\d{4} \[.*\], logLoss \d\.\d{4} \[.*\] on \d+ rows nothing was chosen on; test set read 1 time; selection optimism [-+]?\d\.\d{4}$/,
    );
    expect(lines[6]).toBe("best runs/points/best");
    expect(lines).toHaveLength(7);
  });

  it("reports one plain line per finished unit on stderr where it is no terminal", () => {
    expect(first.stderr).not.toContain("\u001B");
    expect(first.stderr).not.toContain("\r");
    const lines = first.stderr.trimEnd().split("\n");
    const stages = lines.map((line) => /^✔ (\w+)/.exec(line)?.[1]);
    expect(stages[0]).toBe("backend");
    expect(stages).not.toContain(undefined);
    expect(stages.filter((stage) => stage === "save").length).toBeGreaterThanOrEqual(3);
    expect(stages.filter((stage) => stage !== "save" && stage !== "backend")).toEqual([
      "train",
      ...Array.from({ length: 3 }, () => "freeze"),
      ...Array.from({ length: 4 }, () => "evaluate"),
    ]);
  });

  it("does no training, freezing or inference again, and with --json prints one document on stdout", async () => {
    const before = await readTimes(run);
    const content = await readTree(run);
    const { stdout, stderr } = await requireCkpt(["run", "--json"], { cwd: project });
    const document = JSON.parse(stdout) as RunDocument;
    expect(document).toMatchObject({
      schemaVersion: 1,
      command: "run",
      run: "runs/points",
      train: { step: 48, epoch: 6, reason: "completed" },
      skipped: [],
      best: "runs/points/best",
    });
    for (const [index, { rank, status }] of document.ranking.candidates.entries()) {
      expect([rank, status]).toEqual(
        index === 0 ? [1, "best"] : status === "tied" ? [1, "tied"] : [index + 1, "worse"],
      );
    }
    expect(document.ranking).not.toHaveProperty("schemaVersion");
    expect(document.pick.id).toBe(document.ranking.candidates[0]?.id);
    for (const { parity } of document.artifacts) {
      expect(new Set(parity.map(({ format }) => format)).size).toBe(4);
      expect(Math.max(...parity.map(({ maxAbsoluteError }) => maxAbsoluteError))).toBeLessThan(1e-5);
    }
    expect(document.test.metrics["accuracy"]?.value).toBeGreaterThan(0.6);
    expect(stderr).toContain("was complete already");
    expect(stderr).not.toContain("save ");
    const reused = "is there already";
    expect(stderr.split(reused)).toHaveLength(4);
    expect(stderr.split("stored predictions")).toHaveLength(5);
    expect(await readTree(run)).toEqual(content);
    const after = await readTimes(run);
    expect(Object.keys(after).filter((path) => after[path] !== before[path] && !isComputed(path))).toEqual([]);
  });
});

describe("the stages, each by its own command", () => {
  it("give the bytes that ckpt run gives, in another folder", async () => {
    const other = await createProject();
    const trained = await requireCkpt(["train", "--json"], { cwd: other });
    const { checkpoints } = JSON.parse(trained.stdout) as {
      readonly checkpoints: readonly { readonly path: string }[];
    };
    expect(checkpoints).toHaveLength(3);
    const frozen = await requireCkpt(["freeze", "runs/points", "--json"], { cwd: other });
    expect((JSON.parse(frozen.stdout) as { readonly artifacts: readonly unknown[] }).artifacts).toHaveLength(3);
    const evaluated = await requireCkpt(["evaluate", "runs/points"], { cwd: other });
    const ranked = await requireCkpt(["rank", "runs/points"], { cwd: other });
    expect(ranked.stdout).toBe(evaluated.stdout);
    expect(first.stdout.startsWith(ranked.stdout)).toBe(true);
    await requireCkpt(["evaluate", "runs/points/best", "--split", "test"], { cwd: other });

    const expected = await readRun(run);
    expect(Object.keys(expected).length).toBeGreaterThan(40);
    expect(await readRun(join(other, "runs/points"))).toEqual(expected);
  });
});

describe("ckpt average", () => {
  it("makes a candidate that is listed, frozen, evaluated, ranked and verified with the trained ones", async () => {
    const other = await copyProject(first.project);
    const cwd = { cwd: other };
    const steps = (await readdir(join(other, "runs/points/checkpoints"))).map((name) => Number(name.slice(5)));
    const made = await requireCkpt(["average", "runs/points", "--last", "2", "--json"], cwd);
    const average = JSON.parse(made.stdout) as { readonly path: string; readonly parents: readonly object[] };
    const id = basename(average.path);
    expect(id).toMatch(new RegExp(`^average-${String(steps.at(-1)).padStart(8, "0")}-[0-9a-f]{8}$`));
    expect(average).toMatchObject({ command: "average", run: "runs/points", step: steps.at(-1), isReused: false });
    expect(average.parents).toMatchObject(steps.slice(-2).map((step) => ({ step })));

    const again = await requireCkpt(["average", "runs/points", "--steps", steps.slice(-2).toReversed().join()], cwd);
    expect(again.stdout).toBe(
      `runs/points/checkpoints/${id}  average of 2 checkpoints: steps ${steps.slice(-2).join(", ")}; is there already\n`,
    );
    const best = await requireCkpt(["average", "runs/points", "--best", "3", "--json"], cwd);
    expect(JSON.parse(best.stdout)).toMatchObject({ isReused: false, batchNorm: false });
    const bestId = basename((JSON.parse(best.stdout) as { readonly path: string }).path);

    const { stdout, stderr } = await requireCkpt(["run", "--json"], cwd);
    const { ranking, artifacts } = JSON.parse(stdout) as RunDocument;
    expect(stderr.split("is there already")).toHaveLength(4);
    expect(artifacts).toHaveLength(5);
    expect(ranking.candidates).toHaveLength(5);
    expect(ranking.candidates.map((candidate) => candidate.id)).toEqual(expect.arrayContaining([id, bestId]));
    const listed = (await requireCkpt(["ls", "runs/points"], cwd)).stdout.trimEnd().split("\n").slice(2);
    const names = listed.map((line) => line.split(" ", 1)[0] ?? "");
    expect(names.map((name) => name.startsWith("average-"))).toEqual([false, false, false, true, true]);
    const shown = await requireCkpt(["show", `runs/points/checkpoints/${id}`], cwd);
    expect(shown.stdout.match(/^parent +step \d+, [0-9a-f]{12}$/gm)).toHaveLength(2);
    expect((await requireCkpt(["verify", "runs/points"], cwd)).stdout).toContain("all as they were written");
  });

  it("refuses what it cannot choose, and says what there is", async () => {
    const [none, many, step, metric, statistics] = await Promise.all([
      refuse(),
      refuse("--last", "4"),
      refuse("--steps", "1,2"),
      refuse("--best", "2", "--monitor", "f1"),
      refuse("--last", "2", "--batch-norm"),
    ]);
    expect(none).toBe("--last: expected this, --best or --steps, to say which checkpoints, found none of them");
    expect(many).toBe("--last: expected 2 to 3, as many checkpoints as there are to choose from, found 4");
    expect(step).toMatch(/^--steps: expected steps there are checkpoints of: \d+, \d+, \d+, found 1$/);
    expect(metric).toBe("no metric f1; there are: loss, acc, val_loss, val_acc");
    expect(statistics).toContain("expected a model with BatchNormalization layers, found none");
  });

  it("recomputes batch-norm statistics with the run's own model and train split, to the same bytes", async () => {
    const other = await createProject(
      ["tf.layers.dropout({ rate: 0.1 }),", dropoutAndBatchNorm],
      ["epochs: 6", "epochs: 3"],
    );
    const cwd = { cwd: other };
    await requireCkpt(["train"], cwd);
    const given = ["average", "runs/points", "--best", "2", "--batch-norm", "--json"];
    const made = JSON.parse((await requireCkpt(given, cwd)).stdout) as { readonly path: string };
    const path = join(other, made.path);
    const files = await readTree(path);
    await rm(path, { recursive: true });
    expect(JSON.parse((await requireCkpt(given, cwd)).stdout)).toEqual(made);
    expect(await readTree(path)).toEqual(files);
    const plain = await requireCkpt(["average", "runs/points", "--best", "2"], cwd);
    expect(plain.stdout).not.toContain(basename(path));
    // The training's artifacts and the average's are frozen from one capture, and compared with its own statistics.
    const frozen = await requireCkpt(["freeze", "runs/points", "--formats", "onnx", "--json"], cwd);
    const { artifacts } = JSON.parse(frozen.stdout) as { readonly artifacts: readonly { readonly path: string }[] };
    expect(artifacts.map((artifact) => basename(artifact.path))).toContain(basename(path));
  });
});

const dropoutAndBatchNorm = "tf.layers.dropout({ rate: 0.1 }), tf.layers.batchNormalization(),";

/** The message with which `ckpt average` refuses. */
async function refuse(...given: readonly string[]): Promise<string> {
  const { code, stdout } = await runCkpt(["average", "runs/points", ...given, "--json"], { cwd: project });
  expect(code).not.toBe(0);
  return (JSON.parse(stdout) as { readonly error: { readonly message: string } }).error.message;
}

interface RunDocument {
  readonly ranking: {
    readonly candidates: readonly {
      readonly id: string;
      readonly rank: number;
      readonly status: string;
    }[];
  };
  readonly pick: { readonly id: string };
  readonly artifacts: readonly {
    readonly parity: readonly { readonly format: string; readonly maxAbsoluteError: number }[];
  }[];
  readonly test: { readonly metrics: Readonly<Record<string, { readonly value: number }>> };
}

/** Metrics and the ranking are computed every time, from what is stored. */
function isComputed(path: string): boolean {
  return path.endsWith("metrics.json") || path === "ranking.json" || path === "best";
}

/** Time of the last change of every file below a folder, in nanoseconds. */
async function readTimes(folder: string): Promise<Readonly<Record<string, bigint>>> {
  const times: Record<string, bigint> = {};
  for (const path of Object.keys(await readTree(folder))) {
    times[path] = (await stat(join(folder, path), { bigint: true })).mtimeNs;
  }
  return times;
}
