import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { artifactManifestType, type ArtifactFormat, isCkptError, readDocument, verifyFiles } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

import { freeze, type FreezeProgress, type FreezeResult } from "../src/index.js";
import {
  createTemporaryFolder,
  damageFile,
  describeFolder,
  writeCheckpoint,
  writeLayersModel,
  writeRun,
} from "./folders.js";
import {
  createChannelsFirstModel,
  createConvModel,
  createDenseModel,
  createNestedModel,
  createVolumeModel,
  EighthLayer,
  PositionLayer,
  UntranslatedLayer,
  ScaleLayer,
  setRandomWeights,
} from "./models.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
  tf.serialization.registerClass(ScaleLayer);
  tf.serialization.registerClass(EighthLayer);
  tf.serialization.registerClass(PositionLayer);
  tf.serialization.registerClass(UntranslatedLayer);
});

afterEach(() => {
  tf.disposeVariables();
});

async function freezeCheckpoint(model: tf.LayersModel, formats?: readonly ArtifactFormat[]): Promise<FreezeResult> {
  const folder = await createTemporaryFolder();
  const source = await writeCheckpoint(join(folder, "checkpoint"), model, 120);
  return freeze({ source, out: join(folder, "artifact"), ...(formats === undefined ? {} : { formats }) });
}

const allFormats = ["graph-model", "graph-def", "saved-model", "onnx"];

function expectParity({ manifest, unverified }: FreezeResult, outputCount: number): void {
  expect(manifest.parity.map(({ format }) => format)).toEqual(
    allFormats.flatMap((format) => Array.from({ length: outputCount }, () => format)),
  );
  for (const { maxAbsoluteError, batchSizes } of manifest.parity) {
    expect(maxAbsoluteError).toBeLessThan(1e-5);
    expect(batchSizes).toEqual([1, 5, 17]);
  }
  expect(unverified).toEqual([]);
}

describe("an artifact", () => {
  it("holds every format where its loaders look for it, and a manifest that lists them all", async () => {
    const { path, manifest, isReused } = await freezeCheckpoint(createDenseModel());

    expect(isReused).toBe(false);
    expect(Object.keys(await describeFolder(path))).toEqual([
      "artifact.json",
      "frozen.pb",
      "graph-model/group1-shard1of1.bin",
      "graph-model/model.json",
      "model.onnx",
      "saved-model/saved_model.pb",
    ]);
    expect(manifest.files.map((file) => file.path)).toHaveLength(5);
    expect(await verifyFiles(path, manifest.files)).toEqual([]);
    expect(manifest.source).toMatchObject({ kind: "checkpoint", step: 120 });
    expect(manifest.signature.inputs).toMatchObject([{ dtype: "float32", shape: [null, 64] }]);
    expect(manifest.signature.outputs).toMatchObject([{ dtype: "float32", shape: [null, 10] }]);
  });

  it("gives what the checkpoint's model gives, on inputs the freezer never saw", async () => {
    const model = createConvModel();
    const { path, manifest } = await freezeCheckpoint(model);
    const [input, output] = [manifest.signature.inputs[0]?.name ?? "", manifest.signature.outputs[0]?.name ?? ""];
    const values = tf.randomNormal([3, 8, 8, 1], 0, 1, "float32", 99);
    const expected = await (model.predict(values) as tf.Tensor).data();

    const session = await InferenceSession.create(join(path, "model.onnx"));
    const onnx = await session.run({ [input]: new Tensor("float32", await values.data(), [3, 8, 8, 1]) });
    expectClose(onnx[output]?.data as Float32Array, expected);

    const json = JSON.parse(await readFile(join(path, "graph-model", "model.json"), "utf8")) as tf.io.ModelJSON;
    const weights = await readFile(join(path, "graph-model", "group1-shard1of1.bin"));
    const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => [
      tf.io.getWeightSpecs(manifest),
      new Uint8Array(weights).buffer,
    ]);
    const graphModel = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
    expectClose(await (graphModel.predict(values) as tf.Tensor).data(), expected);
  });

  it("takes images of any size when the model does", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [null, null, 1], filters: 4, kernelSize: 3, strides: 2, padding: "same" }),
        tf.layers.batchNormalization(),
        tf.layers.globalAveragePooling2d({}),
        tf.layers.dense({ units: 2 }),
      ],
    });
    setRandomWeights(model, 5);
    const result = await freezeCheckpoint(model);
    expectParity(result, 1);
    const { path, manifest } = result;
    expect(manifest.signature.inputs[0]?.shape).toEqual([null, null, null, 1]);
    const values = tf.randomNormal([2, 19, 7, 1], 0, 1, "float32", 99);
    const session = await InferenceSession.create(join(path, "model.onnx"));
    const feeds = { [session.inputNames[0] ?? ""]: new Tensor("float32", await values.data(), values.shape) };
    const onnx = await session.run(feeds);
    const expected = await (model.predict(values) as tf.Tensor).data();
    expectClose(onnx[session.outputNames[0] ?? ""]?.data as Float32Array, expected);
  });

  it("takes sequences as long as its table of positions", async () => {
    const input = tf.input({ shape: [null, 3] });
    const positions = tf.layers
      .embedding({ inputDim: 16, outputDim: 3 })
      .apply(new PositionLayer({}).apply(input)) as tf.SymbolicTensor;
    const sum = tf.layers.add().apply([input, positions]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: sum });
    setRandomWeights(model, 5);
    expectParity(await freezeCheckpoint(model), 1);
  });

  it("is refused when a size that looked fixed at the traced sizes is another at larger ones", async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [null, 2], units: 3 }), new EighthLayer({})],
    });
    setRandomWeights(model, 5);
    const error: unknown = await freezeCheckpoint(model).catch((caught: unknown) => caught);
    expect(isCkptError(error, "SIGNATURE_MISMATCH")).toBe(true);
  });

  it("records the parity of a dense model in every format", async () => {
    expectParity(await freezeCheckpoint(createDenseModel()), 1);
  });

  it("records the parity of a convolutional model with batch normalisation in every format", async () => {
    expectParity(await freezeCheckpoint(createConvModel()), 1);
  });

  it("records each output of a nested model with a shared layer", async () => {
    const result = await freezeCheckpoint(createNestedModel());
    expectParity(result, 2);
    expect(result.manifest.signature.inputs).toHaveLength(2);
  });

  it.each([
    ["channels first, normalized", createChannelsFirstModel, "batch normalization"],
    ["volumes", createVolumeModel, "a window whose strides"],
  ])("is right for %s, where TensorFlow.js is not, and says so", async (_, create, reason) => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), create(), 1);
    const events: FreezeProgress[] = [];
    const result = await freeze({ source, out: join(folder, "artifact"), onProgress: (event) => events.push(event) });
    expectParity(result, 1);
    expect(events.filter(({ kind }) => kind === "corrected")).toEqual([
      { kind: "corrected", source, backend: "cpu", reason: expect.stringContaining(reason) },
    ]);
  });

  it("records the parity of a recurrence of open length", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.masking({ inputShape: [null, 3] }),
        tf.layers.lstm({ units: 2, recurrentInitializer: "glorotNormal" }),
      ],
    });
    setRandomWeights(model, 3);
    const result = await freezeCheckpoint(model);
    expectParity(result, 1);
    expect(result.manifest.signature.inputs[0]?.shape).toEqual([null, null, 3]);
  });

  it("holds a loop where a recurrence has more steps than may be unrolled, and is another artifact then", async () => {
    const model = tf.sequential({
      layers: [tf.layers.lstm({ inputShape: [4, 3], units: 2, recurrentInitializer: "glorotNormal" })],
    });
    setRandomWeights(model, 3);
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
    const options = { source, out: join(folder, "artifact"), formats: ["graph-model", "graph-def"] as const };
    const readModel = (): Promise<string> => readFile(join(options.out, "graph-model/model.json"), "utf8");

    await freeze(options);
    expect(await readModel()).not.toContain("StatelessWhile");
    const { manifest, isReused } = await freeze({ ...options, maxUnrolledSteps: 3 });
    expect(isReused).toBe(false);
    expect(manifest.maxUnrolledSteps).toBe(3);
    expect(manifest.parity.map(({ format }) => format)).toEqual(options.formats);
    expect(await readModel()).toContain("StatelessWhile");
    expect(await freeze({ ...options, maxUnrolledSteps: 3 })).toMatchObject({ isReused: true });
    await expect(freeze({ ...options, maxUnrolledSteps: 1.5 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  it("is made of a stateful model as it is after a reset, whatever it was shown", async () => {
    const model = tf.sequential({
      layers: [tf.layers.lstm({ batchInputShape: [3, 4, 2], units: 2, stateful: true, recurrentInitializer: "zeros" })],
    });
    setRandomWeights(model, 4);
    model.predict(tf.ones([3, 4, 2]), { batchSize: 3 });
    const { manifest } = await freezeCheckpoint(model);
    expect(manifest.parity.map(({ batchSizes }) => batchSizes)).toEqual(allFormats.map(() => [3]));
  });

  it("is made of a model built again in the same process, under other automatic names", async () => {
    const first = createNestedModel(1);
    const second = createNestedModel(2);
    expect(second.weights.map((weight) => weight.name)).not.toEqual(first.weights.map((weight) => weight.name));
    expectParity(await freezeCheckpoint(second), 2);
    expectParity(await freezeCheckpoint(first), 2);
  });

  it("is made of a model with a custom layer that has a weight", async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [4], units: 3 }), new ScaleLayer({ name: "scale_layer" })],
    });
    setRandomWeights(model, 5);
    expectParity(await freezeCheckpoint(model), 1);
  });

  it("is made of a model that looks its input up in a table", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputShape: [4], inputDim: 3, outputDim: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    setRandomWeights(model, 5);
    expectParity(await freezeCheckpoint(model), 1);
  });

  it("is made of a model that gives its input back beside its result", async () => {
    const input = tf.input({ shape: [4] });
    const result = tf.layers.dense({ units: 3 }).apply(input) as tf.SymbolicTensor;
    expectParity(await freezeCheckpoint(tf.model({ inputs: input, outputs: [input, result] })), 2);
  });

  it("is compared on the rows that its checkpoint carries, too", async () => {
    const folder = await createTemporaryFolder();
    const rows = tf.randomNormal([8, 64], 0, 3, "float32", 1);
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1, rows);
    const { manifest } = await freeze({ source, out: join(folder, "artifact") });
    expect(manifest.parity.map(({ probeRows }) => probeRows)).toEqual([8, 8, 8, 8]);

    await damageFile(join(source, "probe.bin"));
    await expect(freeze({ source, out: join(folder, "other") })).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("has the same bytes each time", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createConvModel(), 1);
    const outs = [join(folder, "first"), join(folder, "second")];
    for (const out of outs) await freeze({ source, out });

    const [first, second] = await Promise.all(outs.map((out) => describeFolder(out)));
    expect(first).toEqual(second);
  });

  it("holds only the formats asked for, in the order of the contract", async () => {
    const { path, manifest } = await freezeCheckpoint(createDenseModel(), ["onnx", "graph-def"]);

    expect(manifest.formats).toEqual(["graph-def", "onnx"]);
    expect(Object.keys(await describeFolder(path))).toEqual(["artifact.json", "frozen.pb", "model.onnx"]);
    expect(manifest.parity.map(({ format }) => format)).toEqual(["graph-def", "onnx"]);
  });

  it.each([
    ["convolutions", createConvModel],
    ["shared and nested layers", createNestedModel],
  ] as const)("leaves no tensor behind, with %s", async (_, createModel) => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createModel(), 1);
    const { numTensors } = tf.memory();

    await freeze({ source, out: join(folder, "artifact") });
    await expect(freeze({ source, out: join(folder, "failed"), tolerance: 0 })).rejects.toThrow(/differs/);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe("freezing again", () => {
  it("leaves an artifact of the same source and formats untouched", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    const out = join(folder, "artifact");
    await freeze({ source, out });
    const before = await describeFolder(out, true);
    const kinds: string[] = [];

    const again = await freeze({ source, out, onProgress: (progress) => kinds.push(progress.kind) });
    expect(again.isReused).toBe(true);
    expect(kinds).toEqual(["artifact"]);
    expect(await describeFolder(out, true)).toEqual(before);
  });

  it("replaces an artifact of another source", async () => {
    const folder = await createTemporaryFolder();
    const first = await writeCheckpoint(join(folder, "first"), createDenseModel(1), 1);
    const second = await writeCheckpoint(join(folder, "second"), createDenseModel(2), 2);
    const out = join(folder, "artifact");
    await freeze({ source: first, out });

    const replaced = await freeze({ source: second, out });
    expect(replaced.isReused).toBe(false);
    expect(replaced.manifest.source.step).toBe(2);
    expect((await readdir(folder)).toSorted()).toEqual(["artifact", "first", "second"]);
  });

  it("replaces an artifact of other formats, and one that lost a file", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    const out = join(folder, "artifact");
    await freeze({ source, out, formats: ["graph-def"] });
    expect((await freeze({ source, out, formats: ["graph-def", "onnx"] })).isReused).toBe(false);

    await writeFile(join(out, "frozen.pb"), "");
    expect((await freeze({ source, out, formats: ["graph-def", "onnx"] })).isReused).toBe(false);
    expect((await freeze({ source, out, formats: ["onnx", "graph-def"] })).isReused).toBe(true);
  });

  it("replaces an artifact in which a bit was flipped, and one held to a larger tolerance", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    const out = join(folder, "artifact");
    const formats = ["graph-def"] as const;
    await freeze({ source, out, formats, tolerance: 1e-3 });
    const path = join(out, "frozen.pb");
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect((await freeze({ source, out, formats, tolerance: 1e-3 })).isReused).toBe(false);
    expect((await freeze({ source, out, formats, tolerance: 1e-4 })).isReused).toBe(false);
    expect((await freeze({ source, out, formats, tolerance: 1e-3 })).isReused).toBe(true);
  });
});

describe("a source", () => {
  it("may be a LayersModel with its weights in several shards", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeLayersModel(join(folder, "model"), createConvModel());

    const result = await freeze({ source, out: join(folder, "artifact") });
    expectParity(result, 1);
    expect(result.manifest.source).toEqual({ kind: "layers-model", digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it.each(["weights.bin", "model.json"])("is refused by name when %s is damaged", async (file) => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    await damageFile(join(source, file));

    const error = await freeze({ source, out: join(folder, "artifact") }).catch((error: unknown) => error);
    expect(isCkptError(error, "DIGEST_MISMATCH") && error.details.path).toBe(join(source, file));
    expect(await readdir(folder)).toEqual(["checkpoint"]);
  });

  it("is refused when it is a model whose custom layer nobody registered", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeLayersModel(join(folder, "model"), createDenseModel());
    await writeFile(source, (await readFile(source, "utf8")).replace('"Dropout"', '"Unheard"'));

    const error = await freeze({ source, out: join(folder, "artifact") }).catch((error: unknown) => error);
    expect(isCkptError(error, "MODEL_UNREADABLE") && error.message).toContain("Unheard");
  });

  it("is refused when it is a whole run", async () => {
    const folder = await createTemporaryFolder();
    await writeRun(join(folder, "run"), [createDenseModel()]);
    await expect(freeze({ source: join(folder, "run"), out: join(folder, "artifact") })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});

describe("a model that cannot be frozen", () => {
  it("is refused with every unsupported operation and its layers, and nothing is written", async () => {
    const folder = await createTemporaryFolder();
    const model = tf.sequential({
      layers: [
        new UntranslatedLayer({ name: "first", inputShape: [6, 6, 1] }),
        new UntranslatedLayer({ name: "second" }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const source = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
    const { numTensors } = tf.memory();

    const error = await freeze({ source, out: join(folder, "artifact") }).catch((error: unknown) => error);
    if (!isCkptError(error, "UNSUPPORTED_OP")) throw error;
    expect(error.details.ops.map(({ op }) => op).toSorted()).toEqual(["BitwiseAnd", "EluGrad"]);
    expect(error.details.ops[0]?.layers).toEqual(["first", "second"]);
    expect(await readdir(folder)).toEqual(["checkpoint"]);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it("is refused when a format is further from the model than the tolerance, and nothing is written", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createConvModel(), 1);
    const out = join(folder, "artifact");

    const error = await freeze({ source, out, tolerance: 0 }).catch((error: unknown) => error);
    if (!isCkptError(error, "PARITY_FAILED")) throw error;
    expect(error.details.maxAbsoluteError).toBeGreaterThan(0);
    expect(error.details.artifact).toBe(out);
    expect(await readdir(folder)).toEqual(["checkpoint"]);
  });
});

describe("the target", () => {
  it("is never a folder that holds something else", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    const out = join(folder, "documents");
    await mkdir(out);
    await writeFile(join(out, "letter.txt"), "dear reader");

    await expect(freeze({ source, out })).rejects.toMatchObject({ code: "TARGET_EXISTS" });
    expect(await readFile(join(out, "letter.txt"), "utf8")).toBe("dear reader");
  });

  it("may be an empty folder", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    const out = join(folder, "artifact");
    await mkdir(out);

    await freeze({ source, out, formats: ["graph-def"] });
    await expect(readDocument(artifactManifestType, join(out, "artifact.json"))).resolves.toMatchObject({
      formats: ["graph-def"],
    });
  });
});

describe("options", () => {
  it.each([
    [{ formats: [] }, "formats"],
    [{ formats: ["tflite" as ArtifactFormat] }, "formats"],
    [{ tolerance: -1 }, "tolerance"],
    [{ tolerance: Number.NaN }, "tolerance"],
  ])("%o are refused", async (options, option) => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
    await expect(freeze({ source, out: join(folder, "artifact"), ...options })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option },
    });
  });
});

describe("progress", () => {
  it("tells what was captured, verified and committed", async () => {
    const folder = await createTemporaryFolder();
    const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 7);
    const out = join(folder, "artifact");
    const progress: FreezeProgress[] = [];
    const { manifest } = await freeze({ source, out, onProgress: (each) => progress.push(each) });

    expect(progress.map(({ kind }) => kind)).toEqual(["captured", ...allFormats.map(() => "verified"), "artifact"]);
    expect(progress.at(-1)).toEqual({
      kind: "artifact",
      source,
      path: out,
      step: 7,
      sizeBytes: manifest.files.reduce((size, file) => size + file.sizeBytes, 0),
      parity: manifest.parity,
      isReused: false,
      index: 1,
      count: 1,
    });
  });
});

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  const difference = Math.max(
    ...Array.from(expected, (value, index) => Math.abs(value - (found[index] ?? Number.NaN))),
  );
  expect(difference).toBeLessThan(1e-5);
}
