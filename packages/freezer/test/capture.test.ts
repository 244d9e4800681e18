import { join } from "node:path";

import type { TensorFunction } from "@ckpt/graph";
import { verifyFiles } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { capture, type FreezeResult, freeze, readWeights, type Template } from "../src/index.js";
import { createTemporaryFolder, describeFolder, writeCheckpoint, writeVariablesCheckpoint } from "./folders.js";
import { createConvModel, createDenseModel, createNestedModel, setRandomWeights } from "./models.js";
import { predictArtifact } from "./predict-artifact.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function expectExact({ manifest, unverified }: FreezeResult, formatCount: number): void {
  expect(unverified).toEqual([]);
  expect(manifest.parity.length).toBeGreaterThanOrEqual(formatCount);
  for (const { maxAbsoluteError } of manifest.parity) expect(maxAbsoluteError).toBeLessThan(1e-5);
}

describe("capture of a LayersModel in memory", () => {
  it("freezes the weights that the model has when they are bound, each time", async () => {
    const folder = await createTemporaryFolder();
    const model = createConvModel(1);
    const template = capture(model);
    const first = template.bind();
    setRandomWeights(model, 2);
    const second = template.bind();
    const values = tf.randomNormal([3, 8, 8, 1], 0, 1, "float32", 5);
    const { numTensors } = tf.memory();

    const results = [await first.write(join(folder, "first")), await second.write(join(folder, "second"))];
    expect(tf.memory().numTensors).toBe(numTensors);
    for (const [index, result] of results.entries()) {
      expectExact(result, 4);
      expect(result.manifest.source).toEqual({ kind: "live-model", digest: [first, second][index]?.digest });
      setRandomWeights(model, index + 1);
      const expected = (model.predict(values) as tf.Tensor).dataSync();
      const [found] = await predictArtifact(result.path, [values]);
      expect(tf.util.arraysEqual([...(found ?? [])].map(round), [...expected].map(round))).toBe(true);
    }
  });

  it("starts a stateful model from zeros, and leaves it where it is in its sequence", async () => {
    const folder = await createTemporaryFolder();
    const model = tf.sequential({
      layers: [
        tf.layers.lstm({ name: "memory", batchInputShape: [2, 4, 3], units: 3, stateful: true }),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const steps = tf.ones([2, 4, 3]);
    const predict = (): ArrayLike<number> => (model.predict(steps, { batchSize: 2 }) as tf.Tensor).dataSync();
    const first = predict();
    const second = predict();
    model.resetStates();
    predict();
    const { numTensors } = tf.memory();

    const whole = await capture(model).bind().write(join(folder, "whole"));
    expectExact(whole, 4);
    expectExact(
      await capture(model, { outputs: ["memory"] })
        .bind()
        .write(join(folder, "piece")),
      4,
    );
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(predict()).toEqual(second);
    const [found] = await predictArtifact(whole.path, [steps]);
    expect([...(found ?? [])].map(round)).toEqual(Array.from(first, round));
  });

  it("leaves the model's own weights as they are while it compares others", async () => {
    const folder = await createTemporaryFolder();
    const model = createDenseModel(1);
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(9), 1);
    const before = model.getWeights().map((weight) => weight.dataSync().slice());
    const template = capture(model);

    const live = await template.bind(await readWeights(source)).write(join(folder, "live"));
    expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(before);
    const { "artifact.json": _own, "model.onnx": _named, ...files } = await describeFolder(live.path);
    const frozen = await freeze({ source, out: join(folder, "frozen") });
    // All but the manifest and the ONNX model name no source.
    expect(await describeFolder(frozen.path)).toMatchObject(files);
  });

  it("takes tensors by their names, and refuses others", async () => {
    const model = createDenseModel(1);
    const template = capture(model);
    const named = Object.fromEntries(model.weights.map((weight) => [weight.originalName, weight.read()]));
    expect(template.bind(named).digest).toBe(template.bind().digest);
    const { "classes/bias": _removed, ...rest } = named;
    expect(() => template.bind(rest)).toThrow(/classes\/bias/);
  });

  it("tells weights of one name in several layers apart", async () => {
    const folder = await createTemporaryFolder();
    expectExact(await capture(createNestedModel(3)).bind().write(join(folder, "artifact")), 8);
  });

  it("leaves an artifact of the same weights, formats and piece as it is, and replaces any other", async () => {
    const out = join(await createTemporaryFolder(), "artifact");
    const model = createDenseModel(1);
    const template = capture(model);
    await template.bind().write(out, { formats: ["graph-def"] });
    expect((await template.bind().write(out, { formats: ["graph-def"] })).isReused).toBe(true);
    const piece = capture(model, { outputs: ["hidden"] });
    expect((await piece.bind().write(out, { formats: ["graph-def"] })).isReused).toBe(false);
    expect((await template.bind().write(out, { formats: ["graph-def"] })).isReused).toBe(false);
    setRandomWeights(model, 2);
    expect((await template.bind().write(out, { formats: ["graph-def"] })).isReused).toBe(false);
  });
});

describe("capture of a function", () => {
  const inputs = [{ name: "x", dtype: "float32", shape: [null, 4] }] as const;

  it("keeps the weights named replaceable, and compares with the function itself", async () => {
    const folder = await createTemporaryFolder();
    const kernel = tf.variable(tf.randomNormal([4, 3], 0, 1, "float32", 1), true, "function-kernel");
    const scale = tf.tensor1d([1, 2, 3]);
    const template = capture((x) => [tf.tanh(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D)), tf.mul(x, 2)], {
      inputs,
      outputs: ["hidden", { name: "twice", dtype: "float32", shape: [null, 4] }],
      weights: { kernel, scale },
    });
    expect(template.weights.map(({ key }) => key)).toEqual(["kernel"]);
    expect(template.signature.outputs).toMatchObject([
      { name: "hidden", shape: [null, 3] },
      { name: "twice", shape: [null, 4] },
    ]);
    const other = tf.randomNormal([4, 3], 0, 1, "float32", 2);
    const { path, manifest, unverified } = await template.bind({ kernel: other }).write(join(folder, "artifact"));
    expectExact({ path, manifest, unverified, isReused: false }, 8);
    expect(manifest.source.kind).toBe("function");
    expect(await verifyFiles(path, manifest.files)).toEqual([]);
    const x = tf.randomNormal<tf.Rank.R2>([2, 4], 0, 1, "float32", 3);
    const expected = tf.tanh(tf.matMul(x, other as tf.Tensor2D)).dataSync();
    const [found] = await predictArtifact(path, [x]);
    expect([...(found ?? [])].map(round)).toEqual([...expected].map(round));
    kernel.dispose();
  });

  it("does not take functions that compute something else for the same", () => {
    const bias = tf.tensor1d([1, 2, 3, 4]);
    const digest = (compute: (x: tf.Tensor) => tf.Tensor): string =>
      capture(compute as TensorFunction, { inputs, weights: { bias } }).bind().digest;
    expect(digest((x) => tf.add(x, bias))).toBe(digest((x) => tf.add(x, bias)));
    expect(digest((x) => tf.add(x, bias))).not.toBe(digest((x) => tf.sub(x, bias)));
  });

  it("refuses to bind other values to a tensor that cannot get them", () => {
    const bias = tf.tensor1d([1, 2, 3, 4]);
    const template = capture((x) => tf.add(x, bias), { inputs, weights: { bias } });
    expect(() => template.bind({ bias })).toThrow(/expected variables, found the tensor bias/);
  });
});

/** As the trainer takes it. */
function createHandWritten(seed: number): { variables: Record<string, tf.Variable>; template: () => Template } {
  const kernel = tf.variable(tf.randomNormal([4, 2], 0, 1, "float32", seed));
  const bias = tf.variable(tf.randomNormal([2], 0, 1, "float32", seed + 1));
  const predict = ({ x }: tf.NamedTensorMap): tf.NamedTensorMap => {
    const logits = tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias);
    return { logits, classes: tf.softmax(logits) };
  };
  const variables = { kernel, bias };
  const inputs = [{ name: "x", dtype: "float32", shape: [null, 4] }] as const;
  return { variables, template: () => capture({ variables, predict, inputs }) };
}

describe("capture of a model written by hand", () => {
  it("binds the weights of its checkpoints", async () => {
    const folder = await createTemporaryFolder();
    const trained = createHandWritten(11);
    const source = await writeVariablesCheckpoint(join(folder, "checkpoint"), trained.variables, 4);
    const template = createHandWritten(50).template();
    expect(template.signature.outputs.map(({ name }) => name)).toEqual(["logits", "classes"]);

    const result = await template.bind(await readWeights(source)).write(join(folder, "artifact"));
    expectExact(result, 8);
    expect(template.bind(await readWeights(source)).digest).toBe(trained.template().bind().digest);
  });

  it.each([
    ["a GraphModel", new tf.GraphModel("somewhere"), "GraphModel"],
    ["a path", "model.json", "string"],
    ["nothing", undefined, "undefined"],
  ])("is no %s, which the error names", (_, source, found) => {
    expect(() => capture(source as unknown as tf.LayersModel)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", details: expect.objectContaining({ option: "model", found }) }),
    );
  });

  it("is what the error for such a checkpoint asks for", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeVariablesCheckpoint(join(folder, "checkpoint"), createHandWritten(1).variables, 4);
    await expect(freeze({ source, out: join(folder, "artifact") })).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      details: { path: source, reason: expect.stringContaining("written by hand") },
      remedy: expect.stringContaining("readWeights"),
    });
  });
});

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0;
}
