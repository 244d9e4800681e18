import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

import {
  type CheckpointManifest,
  checkpointManifestType,
  formatStepName,
  manifestNames,
  readDocument,
  serializeDocument,
} from "@ckpt/manifest";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { lsCommand } from "../src/commands/ls.js";
import { showCommand } from "../src/commands/show.js";
import type { RunDescription } from "../src/describe-run.js";
import { createProgress } from "../src/progress.js";
import { openTerminal } from "../src/terminal.js";
import { copyProject, removeProjects } from "./project.js";
import { program, requireCkpt, runCkpt } from "./run-ckpt.js";

const context = { progress: createProgress(openTerminal({}, false), true), signal: new AbortController().signal };

let project: string;
let ids: readonly string[];
let pick: string;

beforeAll(async () => {
  project = await copyProject(inject("finished").project);
  pick = basename(await readlink(join(project, "runs/points/best")));
  ids = await readdir(join(project, "runs/points/checkpoints"));
});
afterAll(removeProjects);

describe("ckpt ls", () => {
  it("lists the checkpoints of the runs found from where it stands, with the pick marked", async () => {
    const [fromProject, fromRuns] = await Promise.all([
      requireCkpt(["ls"], { cwd: project }),
      requireCkpt(["ls", "points"], { cwd: join(project, "runs") }),
    ]);
    const lines = fromProject.stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("runs/points  completed at step 48, epoch 6, 3 checkpoint(s)");
    expect(lines[1]).toMatch(/^checkpoint +epoch +loss +acc +val_loss +val_acc +size +rank +formats$/);
    expect(lines.slice(2).map((line) => line.split(" ", 1)[0])).toEqual(ids);
    const marked = lines.filter((line) => / best {2}graph-model,graph-def,saved-model,onnx$/.test(line));
    expect(marked.map((line) => line.split(" ", 1)[0])).toEqual([pick]);
    expect(fromRuns.stdout.replace("points", "runs/points")).toBe(fromProject.stdout);
  });

  it("prints the same as one JSON document", async () => {
    const { stdout, stderr } = await requireCkpt(["ls", "runs/points", "--json"], { cwd: project });
    expect(stderr).toBe("");
    const document = JSON.parse(stdout) as { readonly runs: readonly { readonly checkpoints: readonly object[] }[] };
    expect(document).toMatchObject({ schemaVersion: 1, command: "ls", runs: [{ path: "runs/points", invalid: [] }] });
    expect(document.runs[0]).toMatchObject({ checkpointCount: 3 });
    expect(document.runs[0]?.checkpoints).toHaveLength(3);
    expect(
      document.runs[0]?.checkpoints.find((checkpoint) => "isPick" in checkpoint && checkpoint.isPick),
    ).toMatchObject({
      id: pick,
      rank: 1,
      formats: ["graph-model", "graph-def", "saved-model", "onnx"],
    });
  });
});

describe("ckpt ls --limit", () => {
  /** The newest is an average; by its name, the one before it would come before the one before that. */
  const averageId = "average-100000001-01234567";
  const manySteps = [...Array.from({ length: 1200 }, (_, index) => 1000 + index), 99_999_999, 100_000_000, 100_000_001];
  const nameStep = (step: number): string => (step === 100_000_001 ? averageId : formatStepName(step));
  let run: string;

  beforeAll(async () => {
    run = join(await copyProject(project), "runs/points");
    const path = join(run, "checkpoints", pick, manifestNames.checkpoint);
    const { digest: _, ...manifest } = await readDocument(checkpointManifestType, path);
    for (const step of manySteps) {
      const folder = join(run, "checkpoints", nameStep(step));
      const content: CheckpointManifest = { ...manifest, step };
      await mkdir(folder);
      await writeFile(join(folder, manifestNames.checkpoint), serializeDocument(content));
    }
    await writeFile(join(run, "checkpoints", formatStepName(1000), manifestNames.checkpoint), "{}\n");
  });

  const list = async (limit: number): Promise<{ readonly text: string; readonly run: RunDescription }> => {
    const { text, document } = await lsCommand.run({ path: run, limit }, context);
    const [description] = document["runs"] as readonly RunDescription[];
    if (description === undefined) throw new Error("no run is listed");
    return { text, run: description };
  };

  it("lists the newest by the step in the name and the pick, and says how many are older", async () => {
    const { text, run: description } = await list(3);
    expect(description.checkpoints.map(({ id }) => id)).toEqual([pick, "step-99999999", "step-100000000", averageId]);
    expect(description.checkpoints.map(({ isPick }) => isPick)).toEqual([true, false, false, false]);
    expect(text.split("\n", 1)).toEqual([expect.stringMatching(/, 1,206 checkpoint\(s\)$/)]);
    expect(text).toMatch(/\n…and 1,202 older; --limit 0 lists all\n$/);
  });

  it("does not read what it does not list", async () => {
    const { run: description } = await list(50);
    expect(description).toMatchObject({ checkpointCount: 1206, invalid: [] });
    expect(description.checkpoints).toHaveLength(51);
  });

  it("lists all by 0, and then finds the damaged one", async () => {
    const { text, run: description } = await list(0);
    expect(description.checkpoints.map(({ id }) => id)).toEqual([...ids, ...manySteps.slice(1).map(nameStep)]);
    expect(description).toMatchObject({ checkpointCount: 1205, invalid: [{ id: formatStepName(1000) }] });
    expect(text).toContain(", 1,205 checkpoint(s)\n");
    expect(text).not.toContain("older");
  });

  it("goes on to an older checkpoint where a newer one is damaged", async () => {
    const path = join(run, "checkpoints", averageId, manifestNames.checkpoint);
    const whole = await readFile(path);
    await writeFile(path, "{}\n");
    const { run: description } = await list(1);
    await writeFile(path, whole);
    expect(description.checkpoints.map(({ id }) => id)).toEqual([pick, "step-100000000"]);
    expect(description.invalid).toMatchObject([{ id: averageId }]);
  });

  it("takes an artifact for a checkpoint's only if it was made from it", async () => {
    const copy = join(run, "artifacts/step-100000000");
    await cp(join(run, "artifacts", pick), copy, { recursive: true });
    const { run: description } = await list(2);
    expect(description.checkpoints.map(({ id, formats }) => [id, formats.length])).toEqual([
      [pick, 4],
      ["step-100000000", 0],
      [averageId, 0],
    ]);
  });

  it.each(["-1", "1.5", "many"])("refuses %s", async (limit) => {
    const { code, stderr } = await runCkpt(["ls", "runs/points", `--limit=${limit}`], { cwd: project });
    expect(code).toBe(2);
    expect(stderr).toContain("--limit");
  });
});

describe("ckpt show", () => {
  it("tells what a run, a checkpoint, an artifact and an evaluation are", async () => {
    const evaluation = (await readdir(join(project, "runs/points/evaluations")))[0] ?? "";
    const show = async (path: string): Promise<Readonly<Record<string, string>>> => {
      const { stdout } = await requireCkpt(["show", path], { cwd: project });
      const lines = stdout.trimEnd().split("\n");
      return Object.fromEntries(lines.map((line) => [line.split(" ", 1)[0] ?? "", line.replace(/^\S+ +/, "")]));
    };
    const [run, checkpoint, artifact, scores] = await Promise.all([
      show("runs/points"),
      show(`runs/points/checkpoints/${pick}`),
      show("runs/points/best"),
      show(`runs/points/evaluations/${evaluation}`),
    ]);
    expect(run).toMatchObject({
      run: "runs/points",
      name: "points",
      config: "../../ckpt.config.ts",
      seed: "0",
      backend: "cpu",
      result: "completed at step 48",
    });
    expect(run["train"]).toMatch(/^\d+ rows, [\da-f]{12}$/);
    expect(checkpoint).toMatchObject({
      checkpoint: `runs/points/checkpoints/${pick}`,
      step: `${Number(pick.slice(5))}`,
    });
    expect(checkpoint["input"]).toMatch(/ float32 \[\?, 2\]$/);
    expect(artifact).toMatchObject({
      artifact: "runs/points/best",
      operations: "2 BiasAdd, 2 MatMul, 1 Relu, 1 Softmax",
      // 2 x 8 and 8 x 3 weights, 8 and 3 biases; two for each weight, one for each bias and Relu, five for each class.
      parameters: "51",
      flops: "114 per example",
    });
    for (const format of ["graph-model", "graph-def", "saved-model", "onnx"])
      expect(artifact[format]).toMatch(/^\d.* k?B/);
    expect(artifact["source"]).toContain(`step ${Number(pick.slice(5))}`);
    expect(artifact["output"]).toMatch(/ float32 \[\?, 3\]$/);
    expect(scores["accuracy"]).toMatch(/^\d\.\d{4} \[\d\.\d{4}, \d\.\d{4}\]$/);
    expect(scores["engine"]).toMatch(/^onnxruntime-node \d/);
  });

  it("prints the manifest as JSON", async () => {
    const { stdout } = await requireCkpt(["show", "runs/points/best", "--json"], { cwd: project });
    const manifest: unknown = JSON.parse(await readFile(join(project, "runs/points/best/artifact.json"), "utf8"));
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, command: "show", path: "runs/points/best", manifest });
  });
});

describe("what is damaged or unfinished", () => {
  it("does not keep ckpt ls from listing the other runs, and is named", async () => {
    const runs = join(await copyProject(project), "runs");
    await mkdir(join(runs, "broken"));
    await writeFile(join(runs, "broken/run.json"), "{}\n");
    const { text, exitCode, document } = await lsCommand.run({ path: runs, limit: 50 }, context);
    expect(exitCode).toBe(3);
    expect(text).toContain(`${join(runs, "points")}  completed`);
    expect(text).toContain(`\ninvalid ${join(runs, "broken/run.json")}: not a valid manifest`);
    expect(document["invalid"]).toHaveLength(1);
  });

  it("is a checkpoint that ckpt ls leaves out of the table, with the reason", async () => {
    const run = join(await copyProject(project), "runs/points");
    await writeFile(join(run, "checkpoints", pick, "checkpoint.json"), "{}\n");
    const { text } = await lsCommand.run({ path: run, limit: 50 }, context);
    expect(text).toContain("completed at step 48, epoch 6, 2 checkpoint(s)");
    expect(text).toContain(`\ninvalid ${pick}: `);
  });

  it("is an evaluation that ckpt show tells of before it was measured", async () => {
    const evaluations = join(await copyProject(project), "runs/points/evaluations");
    const path = join(evaluations, (await readdir(evaluations))[0] ?? "");
    await rm(join(path, "metrics.json"));
    const { text, exitCode } = await showCommand.run({ path, graph: undefined }, context);
    expect(exitCode).toBe(0);
    expect(text).toMatch(/^engine +onnxruntime-node /m);
    expect(text).not.toMatch(/^accuracy /m);
  });
});

describe("ckpt rank", () => {
  it("ranks by the run's own split also after its artifacts were scored on another file, and by another metric", async () => {
    const data = ["--data", "points.csv", "--input", "point=x,y", "--label", "color", "--quiet"];
    const { stdout: scored } = await requireCkpt(["evaluate", "runs/points", ...data, "--json"], { cwd: project });
    // The classes are the configuration's, in its order: by the alphabet two of three would be taken for each other.
    const { candidates } = JSON.parse(scored) as {
      readonly candidates: readonly { readonly metrics: { readonly accuracy: { readonly value: number } } }[];
    };
    expect(candidates.map(({ metrics }) => metrics.accuracy.value > 0.7)).toEqual([true, true, true]);
    const { stdout } = await requireCkpt(["rank", "runs/points", "--metric", "logLoss"], { cwd: project });
    expect(stdout).toMatch(/^rank {2}candidate +logLoss↓ /);
    expect(stdout).toMatch(/^on split select, /m);
    expect(stdout).not.toContain("240 rows");
    const { stdout: restored } = await requireCkpt(["rank", "runs/points", "--json"], { cwd: project });
    expect(JSON.parse(restored)).toMatchObject({
      metric: { name: "accuracy" },
      pick: { id: pick },
      run: "runs/points",
    });
  });
});

describe("ckpt doctor", () => {
  it("says of every backend and engine whether it works here", async () => {
    const [text, json] = await Promise.all([
      requireCkpt(["doctor"], { cwd: project }),
      requireCkpt(["doctor", "--json"], { cwd: project }),
    ]);
    const lines = text.stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.split(/ +/).slice(0, 2).join(" "))).toEqual([
      "part name",
      "node v" + process.versions.node,
      "backend tensorflow",
      "backend wasm",
      "backend cpu",
      "engine onnxruntime-node",
      "engine tfjs",
      "engine tfjs-node",
    ]);
    expect(lines.find((line) => line.startsWith("backend  cpu "))).toMatch(/ ok +trains and freezes$/);
    const { backends, engines } = JSON.parse(json.stdout) as Readonly<Record<string, readonly { name: string }[]>>;
    expect(backends?.find(({ name }) => name === "cpu")).toMatchObject({ isAvailable: true });
    expect(engines?.find(({ name }) => name === "tfjs")).toMatchObject({ isAvailable: true });
  });
});

describe("ckpt --help and --version", () => {
  it("print on stdout and end with 0", async () => {
    const [help, command, version] = await Promise.all([
      requireCkpt(["--help"], { cwd: project }),
      requireCkpt(["freeze", "--help"], { cwd: project }),
      requireCkpt(["--version"], { cwd: project }),
    ]);
    for (const name of [
      "run",
      "train",
      "average",
      "freeze",
      "evaluate",
      "rank",
      "soup",
      "diff",
      "gate",
      "promote",
      "ls",
      "show",
      "diff",
      "pin",
      "verify",
      "doctor",
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}ckpt ${name}\\b`, "m"));
    }
    expect(help.stdout).toContain("Exit codes: 0 ok; 1 ");
    expect(command.stdout).toContain("Examples:\n  ckpt freeze runs/dense ");
    const text = await readFile(join(import.meta.dirname, "../package.json"), "utf8");
    expect(version.stdout).toBe(`${(JSON.parse(text) as { readonly version: string }).version}\n`);
    expect(help.stderr + command.stderr + version.stderr).toBe("");
  });
});

describe("the program", () => {
  it("does not load TensorFlow.js for commands that only read manifests", async () => {
    const preload = pathToFileURL(join(import.meta.dirname, "print-tensorflow-modules.mjs")).href;
    const env = { NODE_OPTIONS: `--import ${preload}` };
    const load = async (...given: readonly string[]): Promise<string> =>
      (await requireCkpt(given, { cwd: project, env })).stderr;
    const [ls, show, verify, freeze] = await Promise.all([
      load("ls"),
      load("show", "runs/points"),
      load("verify", "runs/points"),
      load("freeze", "--help"),
    ]);
    expect([ls, show, verify]).toEqual(["", "", ""]);
    expect(freeze).toContain("@tensorflow/tfjs");
  });

  it("does not mind a reader that goes away", () => {
    const script = `set -o pipefail; "$0" ls --json | true`;
    const { status, stderr } = spawnSync("bash", ["-c", script, program], { cwd: project, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
