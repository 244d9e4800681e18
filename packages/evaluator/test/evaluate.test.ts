import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { digestBytes, lockRun, type Removal, removeUnleased } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { evaluateArtifact } from "../src/evaluate-artifact.js";
import type { EvaluationProgress } from "../src/evaluation.js";
import { predictionFiles } from "../src/predictions.js";
import { classifierSignature, makeArtifact, readWeights } from "./make-artifact.js";
import { makeFolder } from "./make-folder.js";
import { makeClassSplit, makeSplit } from "./make-split.js";

async function readPredictions(path: string): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(join(path, predictionFiles.predictions))).buffer);
}

function layer(input: readonly number[], weights: readonly number[], bias: readonly number[]): number[] {
  return bias.map((offset, unit) =>
    input.reduce((sum, value, index) => sum + value * (weights[index * bias.length + unit] ?? NaN), offset),
  );
}

/** The fixture's network, in float64. */
async function predictByHand(fixture: 1 | 2, features: Float32Array): Promise<number[]> {
  const { w1 = [], b1 = [], w2 = [], b2 = [] } = await readWeights(fixture);
  const predictions: number[] = [];
  for (let start = 0; start < features.length; start += 4) {
    const hidden = layer([...features.subarray(start, start + 4)], w1, b1).map((value) => Math.max(value, 0));
    const powers = layer(hidden, w2, b2).map(Math.exp);
    const sum = powers.reduce((total, power) => total + power);
    predictions.push(...powers.map((power) => power / sum));
  }
  return predictions;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, index) => Math.max(largest, Math.abs(value - (b[index] ?? NaN))), 0);
}

describe("evaluateArtifact", () => {
  it("stores the predictions and labels of every row, in order", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "step-00000001", 1);
    const split = makeClassSplit(70);
    const evaluation = await evaluateArtifact({ artifact, split, evaluations: join(folder, "e"), batchSize: 16 });
    const { manifest } = evaluation;
    expect(manifest).toMatchObject({
      artifact: { id: "step-00000001", format: "onnx" },
      split: { name: "select", role: "select", rowCount: 70, digest: split.digest },
      engine: { name: "onnxruntime-node", version: "1.30.0" },
      classes: ["a", "b", "c"],
      output: { name: "probabilities", dtype: "float32", shape: [70, 3] },
      labels: { name: "labels", dtype: "int32", shape: [70] },
    });
    expect(evaluation.engineReason).toContain("onnx");
    const expected = await predictByHand(1, split.features);
    expect(largestDifference(await readPredictions(evaluation.path), expected)).toBeLessThan(1e-6);
    const labels = Uint8Array.from(await readFile(join(evaluation.path, predictionFiles.labels)));
    expect(new Int32Array(labels.buffer)).toEqual(split.labels);
    expect(await readdir(join(folder, "e"))).toEqual([expect.stringMatching(/^step-00000001\.select\.[0-9a-f]{12}$/)]);
  });

  it("agrees between ONNX Runtime and TensorFlow.js to 1e-6, and keeps both", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 2);
    const split = makeClassSplit(100);
    const options = { artifact, split, evaluations: join(folder, "e") };
    const onnx = await evaluateArtifact({ ...options, engine: "onnxruntime-node" });
    const tfjs = await evaluateArtifact({ ...options, engine: "tfjs" });
    expect(tfjs.manifest.engine).toEqual({ name: "tfjs", version: "4.22.0+cpu" });
    expect(tfjs.path).not.toBe(onnx.path);
    const predictions = await readPredictions(tfjs.path);
    expect(largestDifference(await readPredictions(onnx.path), predictions)).toBeLessThan(1e-6);
    expect(largestDifference(await predictByHand(2, split.features), predictions)).toBeLessThan(1e-6);
  });

  it.each(["onnxruntime-node", "tfjs"] as const)("gives the same for every batch size: %s", async (engine) => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const split = makeClassSplit(70);
    const [whole, ...others] = await Promise.all(
      [70, 1, 32].map(async (batchSize) => {
        const evaluations = join(folder, String(batchSize));
        return readPredictions((await evaluateArtifact({ artifact, split, evaluations, engine, batchSize })).path);
      }),
    );
    for (const other of others) expect(largestDifference(other, whole ?? [])).toBeLessThan(1e-6);
  });

  it("takes inputs over a SharedArrayBuffer, and leaves the split's own array as it was", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const plain = makeClassSplit(20);
    const features = new Float32Array(new SharedArrayBuffer(plain.features.byteLength));
    features.set(plain.features);
    const split = makeSplit(features, 4, plain.labels, { classes: ["a", "b", "c"], digest: digestBytes("shared") });
    const evaluations = join(folder, "e");
    const shared = await evaluateArtifact({ artifact, split, evaluations });
    const ordinary = await evaluateArtifact({ artifact, split: plain, evaluations });
    expect(await readPredictions(shared.path)).toEqual(await readPredictions(ordinary.path));
    expect(features).toEqual(makeClassSplit(20).features);
    expect(plain.features).toEqual(makeClassSplit(20).features);
  });

  it("scores the output that is asked for", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const split = makeClassSplit(10);
    const options = { artifact, split, evaluations: join(folder, "e") };
    for (const engine of ["onnxruntime-node", "tfjs"] as const) {
      const logits = await evaluateArtifact({ ...options, engine, output: "logits" });
      const probabilities = await evaluateArtifact({ ...options, engine });
      expect(logits.manifest.output.name).toBe("logits");
      const [first = 0, second = 0] = await readPredictions(logits.path);
      const [p = 0, q = 0] = await readPredictions(probabilities.path);
      expect(first - second).toBeCloseTo(Math.log(p / q), 4);
    }
    await expect(evaluateArtifact({ ...options, output: "other" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "output", expected: "one of probabilities, logits", found: "other" },
    });
  });

  it("reports the rows done after every batch", async () => {
    const folder = await makeFolder();
    const reports: EvaluationProgress[] = [];
    await evaluateArtifact({
      artifact: await makeArtifact(folder, "a", 1),
      split: makeClassSplit(50),
      evaluations: join(folder, "e"),
      batchSize: 20,
      onProgress: (progress) => reports.push(progress),
    });
    expect(reports).toMatchObject([20, 40, 50].map((rowsDone) => ({ artifact: "a", rowsDone, rowsTotal: 50 })));
    for (const { rowsPerSecond } of reports) expect(rowsPerSecond).toBeGreaterThan(0);
  });

  it("holds a lease of the artifact while it is scored, and none after", async () => {
    const run = await makeFolder();
    const artifact = await makeArtifact(join(run, "artifacts"), "step-00000001", 1);
    const split = makeClassSplit(30);
    const options = { artifact, evaluations: join(run, "evaluations") };
    const lock = await lockRun(run);
    const removals: Promise<Removal>[] = [];
    const onProgress = (): void => void removals.push(removeUnleased(artifact, run));
    await evaluateArtifact({ ...options, split, onProgress });
    expect(await Promise.all(removals)).toMatchObject([{ kind: "leased", holder: { pid: process.pid } }]);
    const failing = { ...split, digest: digestBytes("other"), read: () => Promise.reject(new Error("unreadable")) };
    await expect(evaluateArtifact({ ...options, split: failing })).rejects.toThrow("unreadable");
    expect(await readdir(join(run, "artifacts"))).toEqual(["step-00000001"]);
    expect(await removeUnleased(artifact, run)).toEqual({ kind: "removed" });
    await lock.release();
  });

  it("reuses what is stored without reading a row", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const split = makeClassSplit(30);
    const options = { artifact, evaluations: join(folder, "e") };
    const first = await evaluateArtifact({ ...options, split });
    expect(first.isReused).toBe(false);
    const unreadable = { ...split, read: () => Promise.reject(new Error("a row was read")) };
    const second = await evaluateArtifact({ ...options, split: unreadable });
    expect(second).toEqual({ ...first, isReused: true });
    // Anything that decides the predictions makes another evaluation.
    const otherData = { ...unreadable, digest: digestBytes("other data") };
    await expect(evaluateArtifact({ ...options, split: otherData })).rejects.toThrow("a row was read");
  });

  it("runs again over a folder that was never committed", async () => {
    const folder = await makeFolder();
    const options = {
      artifact: await makeArtifact(folder, "a", 1),
      split: makeClassSplit(30),
      evaluations: join(folder, "e"),
    };
    const first = await evaluateArtifact(options);
    await rm(join(first.path, "evaluation.json"));
    const second = await evaluateArtifact(options);
    expect(second).toEqual({ ...first, isReused: false });
  });

  it.each([
    ["a byte too many", "SIZE_MISMATCH", (file: string) => appendFile(file, "x")],
    ["a byte too few", "SIZE_MISMATCH", (file: string) => truncate(file, 10)],
    ["a flipped byte", "DIGEST_MISMATCH", flipByte],
    ["no file", "FILE_MISSING", (file: string) => rm(file)],
  ])("names a damaged file of a stored evaluation: %s", async (_name, code, damage) => {
    const folder = await makeFolder();
    const options = {
      artifact: await makeArtifact(folder, "a", 1),
      split: makeClassSplit(30),
      evaluations: join(folder, "e"),
    };
    const { path } = await evaluateArtifact(options);
    const file = join(path, predictionFiles.predictions);
    await damage(file);
    await expect(evaluateArtifact(options)).rejects.toMatchObject({ code, details: { path: file } });
  });

  it("runs no artifact whose bytes are not those of its manifest", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const options = { artifact, split: makeClassSplit(10), evaluations: join(folder, "e") };
    await flipByte(join(artifact, "model.onnx"));
    await expect(evaluateArtifact(options)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    await flipByte(join(artifact, "graph-model", "weights.bin"));
    await expect(evaluateArtifact({ ...options, engine: "tfjs" })).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    await expect(evaluateArtifact({ ...options, artifact: folder })).rejects.toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
    });
  });

  it("leaves nothing behind when inference fails", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1, { onnx: Buffer.from("not a model") });
    const options = { artifact, split: makeClassSplit(10), evaluations: join(folder, "e") };
    await expect(evaluateArtifact(options)).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      details: { engine: "onnxruntime-node", artifact },
    });
    await expect(readdir(join(folder, "e"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("refuses an output that does not fit the labels", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const options = { artifact, evaluations: join(folder, "e") };
    await expect(
      evaluateArtifact({ ...options, split: makeClassSplit(10, { classes: ["a", "b"] }) }),
    ).rejects.toMatchObject({
      code: "SIGNATURE_MISMATCH",
      details: { expected: "scores of the 2 classes of the labels", found: "[10, 3]" },
    });
    const targets = makeSplit(new Float32Array(40), 4, new Float32Array(20));
    await expect(evaluateArtifact({ ...options, split: targets })).rejects.toMatchObject({
      code: "SIGNATURE_MISMATCH",
      details: { expected: "2 value(s) per row, as many as the labels have" },
    });
  });

  it("refuses inputs, outputs and options that do not fit, before any inference", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const options = { artifact, split: makeClassSplit(10), evaluations: join(folder, "e") };
    const wide = makeSplit(new Float32Array(50), 5, new Int32Array(10));
    await expect(evaluateArtifact({ ...options, split: wide })).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
    await expect(evaluateArtifact({ ...options, batchSize: 0 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(evaluateArtifact({ ...options, split: makeClassSplit(0) })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "split", found: "none in select" },
    });
    await expect(evaluateArtifact({ ...options, split: makeClassSplit(1, { name: "../x" }) })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    const integers = await makeArtifact(folder, "b", 1, {
      signature: { ...classifierSignature, outputs: [{ name: "class", dtype: "int32", shape: [null] }] },
    });
    await expect(evaluateArtifact({ ...options, artifact: integers })).rejects.toMatchObject({
      code: "UNSUPPORTED_DTYPE",
    });
  });
});

async function flipByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[8] = (bytes[8] ?? 0) ^ 1;
  await writeFile(file, bytes);
}
