import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import {
  bindWeights,
  captureModel,
  type Constant,
  type Graph,
  type Node,
  type RecurrentCell,
  type WeightData,
  listModelWeights,
} from "@ckpt/graph";
import {
  type ArtifactFormat,
  defaultArtifactFormats,
  type CkptError,
  formatPaths,
  isCkptError,
  type Signature,
} from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { createTemporaryFolder } from "../../test/folders.js";
import { setRandomWeights } from "../../test/models.js";
import { emitFormats } from "../emit-formats.js";
import type { ProbeInput } from "../read-probe.js";
import { createLayersModelRunner } from "./tfjs-runner.js";
import { verifyFormats, type Verification } from "./verify-formats.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

interface Frozen {
  readonly model: tf.LayersModel;
  readonly graph: Graph;
  readonly signature: Signature;
}

function capture(model: tf.LayersModel): Frozen {
  setRandomWeights(model, 3);
  const template = captureModel(model);
  const weights = new Map(
    listModelWeights(model).map(({ key, tensor }): [string, WeightData] => [
      key,
      { dtype: "float32", shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) },
    ]),
  );
  return { model, graph: bindWeights(template, weights), signature: template.signature };
}

/** Writes one format of a graph, or several, then lets `damage` at the files, and compares. */
async function verify(
  { model, graph, signature }: Frozen,
  formats: ArtifactFormat | readonly ArtifactFormat[],
  damage: (folder: string) => Promise<void> = async () => {},
  { probe = [], flopsPerExample }: { readonly probe?: readonly ProbeInput[]; readonly flopsPerExample?: number } = {},
): Promise<Verification> {
  const folder = await createTemporaryFolder();
  const choice = { formats: [formats].flat(), tolerance: 1e-5 };
  for (const { path, data } of emitFormats(graph, choice, "0".repeat(64))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), data);
  }
  await damage(folder);
  const reference = createLayersModelRunner(model);
  const probeShapes = [signature.inputs.map(({ shape }) => shape)];
  return verifyFormats({
    folder,
    choice,
    graph,
    signature,
    flopsPerExample,
    probeShapes,
    reference,
    artifact: "artifact",
    probe,
  });
}

async function findFailure(verification: Promise<Verification>): Promise<CkptError<"PARITY_FAILED">["details"]> {
  const error = await verification.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isCkptError(error, "PARITY_FAILED")) return error.details;
  throw error ?? new Error("It was not refused.");
}

/** Adds 0.5 to one float32 value, found by its bytes in whatever file of the folder, or of one place in it, holds them. */
async function changeValue(folder: string, value: number | undefined, place = ""): Promise<void> {
  if (value === undefined) throw new TypeError("There is no such value.");
  const wanted = Buffer.from(Float32Array.of(value).buffer);
  let changes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !path.startsWith(join(folder, place))) continue;
    const bytes = await readFile(path);
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 4)) {
      bytes.writeFloatLE(value + 0.5, at);
      changes++;
    }
    await writeFile(path, bytes);
  }
  expect(changes).toBe(1);
}

/** The graph with every constant of a layer changed, as by a pass that computes it wrongly. */
function damageConstants(frozen: Frozen, layer: string, change: (value: number) => number): Frozen {
  let changes = 0;
  const damageConstant = <Found extends Constant | undefined>(constant: Found): Found =>
    constant === undefined ? constant : { ...constant, values: Float32Array.from(constant.values, change) };
  const damageNode = (node: Node): Node => {
    const { constant, scan } = node;
    if (scan !== undefined) {
      const { kernel, ...rest } = scan.cell ?? {};
      const cell = kernel === undefined ? {} : { cell: { ...rest, kernel: damageConstant(kernel) } as RecurrentCell };
      const body = { ...scan.body, nodes: scan.body.nodes.map(damageNode) };
      return { ...node, scan: { ...scan, body, ...(`${node.layer}/cell` === layer ? cell : {}) } };
    }
    if (node.layer !== layer || constant?.dtype !== "float32") return node;
    changes++;
    return { ...node, constant: damageConstant(constant) };
  };
  const nodes = frozen.graph.nodes.map(damageNode);
  expect(changes).toBeGreaterThan(0);
  return { ...frozen, graph: { ...frozen.graph, nodes } };
}

const valueOf = ({ model }: Frozen, layer: string, index: number): number | undefined =>
  model.getLayer(layer).getWeights()[index]?.dataSync()[3];

function chain(): Frozen {
  return capture(
    tf.sequential({
      layers: [
        layers.conv2d({ name: "first", filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 2] }),
        layers.conv2d({ name: "second", filters: 4, kernelSize: 3, activation: "relu", padding: "same" }),
        layers.maxPooling2d({ name: "pool", poolSize: 2 }),
        layers.flatten({ name: "flat" }),
        layers.dense({ name: "third", units: 6, activation: "tanh" }),
        layers.dense({ name: "classes", units: 3, activation: "softmax" }),
      ],
    }),
  );
}

function normalized(): Frozen {
  return capture(
    tf.sequential({
      layers: [
        layers.conv2d({ name: "before", filters: 3, kernelSize: 1, activation: "tanh", inputShape: [4, 4, 2] }),
        layers.conv2d({ name: "conv", filters: 4, kernelSize: 2, useBias: false }),
        layers.batchNormalization({ name: "norm" }),
        layers.activation({ name: "after", activation: "sigmoid" }),
        layers.flatten({ name: "flat" }),
        layers.dense({ name: "score", units: 2 }),
      ],
    }),
  );
}

describe.each(defaultArtifactFormats)("%s", (format) => {
  it("names the layer whose weight is another in the file", async () => {
    const frozen = chain();
    for (const layer of ["second", "third", "classes"]) {
      const failure = await findFailure(
        verify(frozen, format, (folder) => changeValue(folder, valueOf(frozen, layer, 0))),
      );
      expect(failure).toMatchObject({ format, layer });
      expect(failure.layerError).toBeGreaterThan(1e-5);
    }
  });

  it("does not take a convolution for wrong that a batch normalization was folded into", async () => {
    const frozen = normalized();
    const failure = await findFailure(
      verify(frozen, format, (folder) => changeValue(folder, valueOf(frozen, "score", 0))),
    );
    expect(failure.layer).toBe("score");
  });

  it("names the first of two layers that became one operation", async () => {
    const wrong = damageConstants(normalized(), "conv", (value) => value * 1.5);
    expect((await findFailure(verify(wrong, format))).layer).toBe("conv");
  });

  it("names a layer inside of another one", async () => {
    const frozen = capture(
      tf.sequential({
        layers: [
          layers.dense({ name: "front", units: 3, inputShape: [3] }),
          tf.sequential({
            name: "encoder",
            layers: [
              layers.dense({ name: "inner", units: 4, activation: "sigmoid", inputShape: [3] }),
              layers.dense({ name: "broken", units: 4, activation: "tanh" }),
            ],
          }),
          layers.dense({ name: "back", units: 2 }),
        ],
      }),
    );
    const wrong = damageConstants(frozen, "encoder/broken", (value) => value + 0.1);
    expect((await findFailure(verify(wrong, format))).layer).toBe("encoder/broken");
  });

  it("names the cell of a recurrent layer, and a layer behind it that the cell is not to blame for", async () => {
    const frozen = capture(
      tf.sequential({
        layers: [
          layers.lstm({ name: "memory", units: 3, inputShape: [4, 2] }),
          layers.dense({ name: "score", units: 2 }),
        ],
      }),
    );
    const behind = damageConstants(frozen, "score", (value) => value + 0.1);
    expect((await findFailure(verify(behind, format))).layer).toBe("score");
    const inside = damageConstants(frozen, "memory/cell", (value) => value + 0.01);
    expect((await findFailure(verify(inside, format))).layer).toMatch(/^memory/);
  });

  it("names the layer on the branch that differs", async () => {
    const input = tf.input({ shape: [5], name: "in" });
    const left = layers.dense({ name: "left", units: 4, activation: "relu" }).apply(input) as tf.SymbolicTensor;
    const right = layers.dense({ name: "right", units: 4, activation: "tanh" }).apply(input) as tf.SymbolicTensor;
    const sum = layers.add({ name: "sum" }).apply([left, right]) as tf.SymbolicTensor;
    const frozen = capture(tf.model({ inputs: input, outputs: [left, sum] }));
    const failure = await findFailure(
      verify(frozen, format, (folder) => changeValue(folder, valueOf(frozen, "right", 0))),
    );
    expect(failure).toMatchObject({ output: "sum", layer: "right" });
  });

  it("passes when nothing was changed", async () => {
    const { parity, unverified } = await verify(normalized(), format);
    expect(parity).toHaveLength(1);
    expect(unverified).toEqual([]);
  });

  it("finds on the checkpoint's own rows what values around zero do not show", async () => {
    const frozen = capture(tf.sequential({ layers: [layers.reLU({ name: "relu", inputShape: [2] })] }));
    const nodes = frozen.graph.nodes.map((node) => (node.op === "Relu" ? { ...node, op: "Relu6" } : node));
    const wrong = { ...frozen, graph: { ...frozen.graph, nodes } };
    const { name = "" } = frozen.signature.inputs[0] ?? {};
    const probe = [
      {
        spec: { name, dtype: "float32", shape: [3, 2] },
        tensor: { data: Float32Array.of(1, 2, -1, 9, 3, 0), shape: [3, 2] },
      },
    ] as const;
    expect((await verify(wrong, format)).parity[0]).not.toHaveProperty("probeRows");
    expect((await verify(frozen, format, undefined, { probe })).parity).toMatchObject([{ probeRows: 3 }]);
    expect(await findFailure(verify(wrong, format, undefined, { probe }))).toMatchObject({
      layer: "relu",
      layerError: 3,
    });
    const other = [{ ...probe[0], spec: { ...probe[0].spec, name: "another input" } }];
    expect((await verify(wrong, format, undefined, { probe: other })).parity[0]).not.toHaveProperty("probeRows");
  });

  it("runs a model of a fixed batch size at that size", async () => {
    const frozen = capture(tf.sequential({ layers: [layers.dense({ units: 2, batchInputShape: [6, 3] })] }));
    expect((await verify(frozen, format)).parity).toMatchObject([{ batchSizes: [6] }]);
  });
});

it("leaves no tensor behind when it names a layer", async () => {
  const frozen = chain();
  const { numTensors } = tf.memory();
  await findFailure(
    verify(
      damageConstants(frozen, "third", (value) => value * 2),
      "graph-model",
    ),
  );
  expect(tf.memory().numTensors).toBe(numTensors);
});

it("names no layer where all of them are right and only the output is another value", async () => {
  const frozen = chain();
  const outputs = frozen.graph.outputs.map(({ name }) => ({ name, value: { node: "classes/BiasAdd", output: 0 } }));
  const failure = await findFailure(verify({ ...frozen, graph: { ...frozen.graph, outputs } }, "graph-def"));
  expect(failure.layer).toBeUndefined();
});

describe("a graph that two formats hold", () => {
  it("has a record for each of them", async () => {
    const { parity } = await verify(chain(), ["graph-def", "saved-model"]);
    const [first, second] = parity;
    expect(parity).toHaveLength(2);
    expect(second).toEqual({ ...first, format: "saved-model" });
  });

  it.each(["graph-def", "saved-model"] as const)("is found to be another in %s alone", async (format) => {
    const frozen = chain();
    const failure = await findFailure(
      verify(frozen, ["graph-def", "saved-model"], (folder) =>
        changeValue(folder, valueOf(frozen, "third", 0), formatPaths[format]),
      ),
    );
    expect(failure).toMatchObject({ format, layer: "third" });
  });
});

it.each([
  { flopsPerExample: 1e8, batchSizes: [1, 5, 17] },
  { flopsPerExample: 1e9, batchSizes: [1, 5] },
])("is at batches of $batchSizes for $flopsPerExample operations", async ({ flopsPerExample, batchSizes }) => {
  const { parity } = await verify(chain(), "graph-model", undefined, { flopsPerExample });
  expect(parity[0]?.batchSizes).toEqual(batchSizes);
});
