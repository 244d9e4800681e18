import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { CkptError, type Split } from "@ckpt/manifest";
import { describe, expect, it, onTestFinished } from "vitest";

import { computeMetrics } from "../../src/compute-metrics.js";
import { evaluateArtifact } from "../../src/evaluate-artifact.js";
import { evaluateArtifacts, type EvaluationOutcome } from "../../src/evaluate-artifacts.js";
import type { Evaluation } from "../../src/evaluation.js";
import { makeArtifact } from "../make-artifact.js";
import { makeFolder } from "../make-folder.js";
import { makeClassSplit } from "../make-split.js";

// Three whole shards of 16,384 rows, and a rest.
const rowCount = 60_000;
const shardRows = 16_384;

const program = fileURLToPath(new URL("../processes/evaluate.ts", import.meta.url));
const flags = [
  "--conditions=@ckpt/source",
  "--import",
  new URL("../../../../scripts/register-typescript.mjs", import.meta.url).href,
];

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [...flags, program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Runs a process to its end; its output by lines, or the signal that ended it. */
function run(args: readonly string[]): Promise<readonly string[]> {
  const child = start(args);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.once("close", (_code, signal) => {
      resolve(signal === null ? output.trim().split("\n") : [signal]);
    });
  });
}

/** The names and bytes of a folder's files. */
async function readFolder(path: string): Promise<Record<string, string>> {
  const names = await readdir(path);
  const contents = await Promise.all(names.map((name) => readFile(join(path, name), "latin1")));
  return Object.fromEntries(names.map((name, index) => [name, contents[index] ?? ""]));
}

interface CountedSplit extends Split {
  /** How often each row was read. */
  readonly reads: Uint8Array;
}

function countReads(split: Split): CountedSplit {
  const reads = new Uint8Array(split.rowCount);
  return {
    ...split,
    reads,
    read: (start, end) => {
      for (let row = start; row < end; row++) reads[row] = (reads[row] ?? 0) + 1;
      return split.read(start, end);
    },
  };
}

/** What an evaluation that is not whole yet has on disk. */
function listPieces(evaluations: string): readonly string[] {
  const pieces = readdirSync(evaluations).find((name) => name.endsWith(".pieces"));
  if (pieces === undefined) return [];
  return readdirSync(join(evaluations, pieces)).map((name) => join(evaluations, pieces, name));
}

function listShards(evaluations: string): readonly string[] {
  return listPieces(evaluations).filter((path) => path.endsWith(".shard"));
}

function isClaim(path: string): boolean {
  return path.includes(".claim");
}

function evaluationOf(outcome: EvaluationOutcome | undefined): Evaluation {
  if (outcome === undefined || "failure" in outcome) throw outcome?.failure ?? new Error("no outcome");
  return outcome.evaluation;
}

/** Leaves an evaluation after its first whole shards. */
async function interrupt(artifact: string, evaluations: string): Promise<void> {
  const stop = new Error("stopped");
  const onProgress = (): void => {
    if (listShards(evaluations).length > 0) throw stop;
  };
  const split = makeClassSplit(rowCount);
  await expect(evaluateArtifact({ artifact, split, evaluations, workers: 1, onProgress })).rejects.toBe(stop);
}

describe("an evaluation", () => {
  it("has the same bytes for any number of threads and any batch size", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const split = makeClassSplit(rowCount);
    const evaluate = async (name: string, options: { workers?: number; batchSize?: number }) => {
      const evaluations = join(folder, name);
      const { path } = await evaluateArtifact({ artifact, split, evaluations, ...options });
      expect(await readdir(evaluations)).toHaveLength(1);
      return readFolder(path);
    };
    const first = await evaluate("measured", {});
    expect(Object.keys(first)).toEqual(["evaluation.json", "labels.bin", "predictions.bin"]);
    expect(await evaluate("one", { workers: 1, batchSize: 1024 })).toEqual(first);
    expect(await evaluate("three", { workers: 3, batchSize: 77 })).toEqual(first);
  });

  it("goes on after SIGKILL at its last whole shard, to the same bytes", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const evaluations = join(folder, "e");
    await mkdir(evaluations);
    const hang = String(2 * shardRows);
    const child = start(["--evaluations", evaluations, "--rows", String(rowCount), "--hang", hang, artifact]);
    while (listShards(evaluations).length === 0 || !listPieces(evaluations).some(isClaim)) await sleep(5);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const stored = listShards(evaluations).map((path) => Number(/(\d+)\.shard$/.exec(path)?.[1]));
    expect(stored.length).toBeLessThan(3);
    // The dead process's claims are in the way of nobody.
    expect(listPieces(evaluations).some(isClaim)).toBe(true);

    const split = countReads(makeClassSplit(rowCount));
    const resumed = await evaluateArtifact({ artifact, split, evaluations });
    for (const shard of [0, 1, 2, 3]) {
      const rows = split.reads.subarray(shard * shardRows, (shard + 1) * shardRows);
      expect(new Set(rows)).toEqual(new Set([stored.includes(shard) ? 0 : 1]));
    }
    const whole = await evaluateArtifact({ artifact, split: makeClassSplit(rowCount), evaluations: join(folder, "w") });
    expect(await readFolder(resumed.path)).toEqual(await readFolder(whole.path));
    expect(await readdir(evaluations)).toHaveLength(1);
  });

  it("is shared by two processes, and no row is scored twice", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const evaluations = join(folder, "e");
    const manyRows = 9 * shardRows + 1000;
    const counts = new Uint8Array(manyRows);
    const reads = ["1", "2"].map((name) => join(folder, `reads${name}`)) as [string, string];
    const options = ["--evaluations", evaluations, "--rows", String(manyRows), "--delay", "3", "--reads"];
    // The first one keeps its first shards until the second has begun others.
    const first = run([...options, reads[0], "--await", reads[1], artifact]);
    while (!existsSync(reads[0])) await sleep(5);
    const [one, other] = await Promise.all([first, run([...options, reads[1], artifact])]);
    expect(one).toEqual(other);
    expect(one?.[0]).toMatch(/^[0-9a-f]{64}$/);
    for (const path of reads) {
      const lines = (await readFile(path, "utf8")).split("\n").slice(0, -1);
      expect(lines).not.toEqual([]);
      for (const line of lines) {
        const [from = 0, to = 0] = line.split(" ").map(Number);
        for (let row = from; row < to; row++) counts[row] = (counts[row] ?? 0) + 1;
      }
    }
    expect(new Set(counts)).toEqual(new Set([1]));
    expect(await readdir(evaluations)).toHaveLength(1);
  });

  it("scores a shard again that is not as it was written", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const evaluations = join(folder, "e");
    await interrupt(artifact, evaluations);
    const [damaged = ""] = listShards(evaluations);
    const bytes = await readFile(damaged);
    bytes[bytes.length - 5] = (bytes.at(-5) ?? 0) ^ 1;
    await writeFile(damaged, bytes);
    const split = countReads(makeClassSplit(rowCount));
    const resumed = await evaluateArtifact({ artifact, split, evaluations });
    const shard = Number(/(\d+)\.shard$/.exec(damaged)?.[1]);
    expect(split.reads[shard * shardRows]).toBe(1);
    const whole = await evaluateArtifact({ artifact, split: makeClassSplit(rowCount), evaluations: join(folder, "w") });
    expect(await readFolder(resumed.path)).toEqual(await readFolder(whole.path));
  });

  it("survives the death of the engine's thread", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const options = ["--rows", "20000", "--evaluations"];
    const calm = await run([...options, join(folder, "calm"), artifact]);
    expect(calm[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await run([...options, join(folder, "killed"), "--kill", "once", artifact])).toEqual(calm);
  });

  it("fails when its thread dies again and again, and the others do not", async () => {
    const folder = await makeFolder();
    const ids = ["a", "b", "c"];
    const artifacts = await Promise.all(ids.map((id, index) => makeArtifact(folder, id, index === 0 ? 1 : 2)));
    const lines = await run(["--rows", "5000", "--evaluations", join(folder, "e"), "--kill", "b", ...artifacts]);
    expect(lines).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      `${artifacts[1]}: engine onnxruntime-node failed: the thread that it alone ran on ended 3 times`,
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    expect(new Set((await readdir(join(folder, "e"))).map((name) => name.split(".")[0]))).toEqual(new Set(["a", "c"]));
  });

  const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
  const canMount = spawnSync("unshare", [...unshare, "mount -t tmpfs none /tmp"]).status === 0;

  it.runIf(canMount)(
    "on a full disk is an error, leaves nothing half there, and goes on when there is room",
    async () => {
      const folder = await makeFolder();
      const artifact = await makeArtifact(folder, "a", 1);
      const disk = join(folder, "disk");
      await mkdir(disk);
      const command = [
        process.execPath,
        ...flags,
        program,
        "--rows",
        String(rowCount),
        "--evaluations",
        disk,
        artifact,
      ];
      const evaluate = command.map((word) => `'${word}'`).join(" ");
      // Shards and what they are put together to are 960 KB each.
      const script = `mount -t tmpfs -o size=1500k none '${disk}' && ${evaluate}; ls -A '${disk}'; mount -o remount,size=9m '${disk}'; ${evaluate}; ls -A '${disk}'`;
      const lines = execFileSync("unshare", [...unshare, script])
        .toString()
        .trim()
        .split("\n");
      expect(lines).toEqual([
        "FILE_SYSTEM ENOSPC",
        expect.stringMatching(/^\.a\.select\.[0-9a-f]{12}\.pieces$/),
        expect.stringMatching(/^[0-9a-f]{64}$/),
        expect.stringMatching(/^a\.select\.[0-9a-f]{12}$/),
      ]);
    },
  );
});

describe("evaluations of several artifacts", () => {
  it("are made of all but those that fail, which say why", async () => {
    const folder = await makeFolder();
    const artifacts = [
      await makeArtifact(folder, "a", 1),
      await makeArtifact(folder, "broken", 1, { onnx: Buffer.from("not a model") }),
      join(folder, "absent"),
      await makeArtifact(folder, "b", 2),
    ];
    const evaluations = join(folder, "e");
    const told: EvaluationOutcome[] = [];
    const onOutcome = (outcome: EvaluationOutcome): void => void told.push(outcome);
    const outcomes = await evaluateArtifacts({ artifacts, split: makeClassSplit(500), evaluations, onOutcome });
    expect(told).toHaveLength(4);
    expect(new Set(told.map(({ artifact }) => artifact))).toEqual(new Set(artifacts));
    expect(outcomes).toMatchObject([
      { artifact: artifacts[0], evaluation: { isReused: false } },
      { artifact: artifacts[1], failure: { code: "ENGINE_FAILED" } },
      { artifact: artifacts[2], failure: { code: "ARTIFACT_NOT_FOUND" } },
      { artifact: artifacts[3], evaluation: { isReused: false } },
    ]);
    expect(new Set((await readdir(evaluations)).map((name) => name.split(".")[0]))).toEqual(new Set(["a", "b"]));
  });

  it("end at the first error that is nobody's own, and give their leases back", async () => {
    const folder = await makeFolder();
    const artifacts = await Promise.all([makeArtifact(folder, "a", 1), makeArtifact(folder, "b", 2)]);
    const split = { ...makeClassSplit(500), read: () => Promise.reject(new Error("unreadable")) };
    await expect(evaluateArtifacts({ artifacts, split, evaluations: join(folder, "e") })).rejects.toThrow("unreadable");
    expect(new Set(await readdir(folder))).toEqual(new Set(["a", "b", "e"]));
    expect(await readdir(join(folder, "e"))).toEqual([]);
  });

  it("end at what the split or onProgress throws, though it is an error such as an artifact has", async () => {
    const folder = await makeFolder();
    const artifacts = [await makeArtifact(folder, "a", 1), await makeArtifact(folder, "b", 2)];
    const split = makeClassSplit(500);
    for (const code of ["FILE_MISSING", "FILE_SYSTEM"] as const) {
      const error =
        code === "FILE_MISSING"
          ? new CkptError(code, { path: "rows" })
          : new CkptError(code, { path: "rows", operation: "read", reason: "gone" });
      const options = { artifacts, evaluations: join(folder, code) };
      const unreadable = { ...split, read: () => Promise.reject(error) };
      await expect(evaluateArtifacts({ ...options, split: unreadable })).rejects.toBe(error);
      const onProgress = (): void => {
        throw error;
      };
      await expect(evaluateArtifacts({ ...options, split, onProgress })).rejects.toBe(error);
    }
  });

  it("store what rows with NaN give, and one class only; the metrics say what is wrong", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const evaluate = async (split: Split): Promise<string> => {
      const outcomes = await evaluateArtifacts({ artifacts: [artifact], split, evaluations: join(folder, "e") });
      return evaluationOf(outcomes[0]).path;
    };
    const holed = makeClassSplit(300, { digest: "1".repeat(64) });
    holed.features[4 * 250] = Number.NaN;
    expect((await computeMetrics(await evaluate(holed), ["accuracy"])).failure).toContain("in row 250");
    const alike = makeClassSplit(300, { digest: "2".repeat(64) });
    alike.labels.fill(1);
    expect((await computeMetrics(await evaluate(alike), ["accuracy"])).metrics["accuracy"]?.value).toBeLessThan(1);
    const strange = makeClassSplit(300, { digest: "3".repeat(64) });
    strange.labels[7] = 3;
    const path = await evaluate(strange);
    await expect(computeMetrics(path, ["accuracy"])).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  });
});
