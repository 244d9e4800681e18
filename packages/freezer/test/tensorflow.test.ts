import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { convertGraphDefToGraphModel, parseGraphDef, parseSavedModel } from "@ckpt/graph";
import { type ArtifactFormat, formatPaths, type Signature, type TensorData } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { chooseFormats } from "../src/choose-formats.js";
import { freeze, type FreezeOptions, type FreezeResult, readSource } from "../src/index.js";
import { openFormat } from "../src/verify/open-format.js";
import type { FormatRunner } from "../src/verify/runner.js";
import { createGraphModelRunner } from "../src/verify/tfjs-runner.js";
import { createTemporaryFolder } from "./folders.js";

const fixtures = join(import.meta.dirname, "fixtures/tensorflow");

/** A tensor as the fixtures have it. */
interface StoredTensor {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** What TensorFlow itself computed. */
interface StoredCase {
  readonly checkpoint?: string;
  readonly model?: string;
  readonly pins: Readonly<Record<string, number | boolean>>;
  readonly inputs: Readonly<Record<string, StoredTensor>>;
  readonly outputs: Readonly<Record<string, StoredTensor>>;
}

async function readCases(name: string): Promise<readonly StoredCase[]> {
  return JSON.parse(await readFile(join(fixtures, name, "expected.json"), "utf8")) as readonly StoredCase[];
}

function toTensor({ dtype, shape, values }: StoredTensor): TensorData {
  return { data: dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values), shape };
}

/** Freezes the model of a case, its outputs named unless it is a SavedModel. */
async function freezeCase(name: string, { checkpoint, model, pins, outputs }: StoredCase): Promise<FreezeResult> {
  const folder = await createTemporaryFolder();
  const path = join(fixtures, name, checkpoint ?? model ?? "");
  const options: Omit<FreezeOptions, "source"> = {
    out: join(folder, "artifact"),
    pins,
    ...(model === undefined ? { outputs: Object.keys(outputs) } : {}),
  };
  if (name !== "object-based") return freeze({ source: path, ...options });
  const source = await readSource(path, { graph: join(fixtures, name, "graph.pb") });
  if (source.kind !== "tensorflow-checkpoint") throw new TypeError(`found ${source.kind}`);
  return freeze({ source, ...options });
}

/** Nothing is looked into here. */
const noGraph = { inputs: [], outputs: [], nodes: [] };

/** What a `.pb` does not say, the SavedModel beside it does. */
async function openGraphDef(folder: string): Promise<FormatRunner> {
  const { signature } = parseSavedModel(await readFile(join(folder, formatPaths["saved-model"], "saved_model.pb")));
  const graphDef = parseGraphDef(await readFile(join(folder, formatPaths["graph-def"])));
  return createGraphModelRunner(convertGraphDefToGraphModel(graphDef, signature), signature, noGraph);
}

async function openOther(format: ArtifactFormat, folder: string, signature: Signature): Promise<FormatRunner> {
  const runner = await openFormat(format, { folder, signature, graph: noGraph, choice: chooseFormats({}) });
  if ("reason" in runner) throw new TypeError(runner.reason);
  return runner;
}

/** Runs a format of an artifact on stored inputs; the largest difference from the stored outputs. */
async function compareFormat(
  { path, manifest: { signature } }: FreezeResult,
  format: ArtifactFormat,
  { inputs, outputs }: StoredCase,
): Promise<number> {
  const runner = format === "graph-def" ? await openGraphDef(path) : await openOther(format, path, signature);
  expect(signature.inputs.map(({ name }) => name).toSorted()).toEqual(Object.keys(inputs).toSorted());
  expect(signature.outputs.map(({ name }) => name)).toEqual(Object.keys(outputs));
  const found = await runner.run(signature.inputs.map(({ name }) => toTensor(inputs[name]!)));
  await runner.dispose();
  const errors = Object.values(outputs).map(({ shape, values }, index) => {
    expect(found[index]?.shape).toEqual(shape);
    return Math.max(...values.map((value, at) => Math.abs(value - (found[index]?.data[at] ?? Number.NaN))));
  });
  return Math.max(...errors);
}

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("a model of TensorFlow", () => {
  it.each([
    "mlp-ref",
    "mlp-resource",
    "v1-format",
    "renamed",
    "conv-batch-norm",
    "conv-batch-norm-if",
    "dropout",
    "partitioned-embedding",
    "rnn-while-frames",
    "rnn-while-function",
    "object-based",
    "saved-model-tf1",
    "saved-model-tf2",
  ])("computes in every format what TensorFlow computed: %s", async (name) => {
    for (const each of await readCases(name)) {
      const tensorCount = tf.memory().numTensors;
      const result = await freezeCase(name, each);
      expect(tf.memory().numTensors).toBe(tensorCount);
      expect(result.unverified).toEqual([]);
      for (const format of result.manifest.formats) {
        expect([format, await compareFormat(result, format, each)]).toEqual([format, expect.closeTo(0, 6)]);
      }
    }
  });

  it("may have its graph as text, in a .meta file too", async () => {
    const [stored] = await readCases("mlp-resource");
    const path = join(fixtures, "mlp-resource", stored?.checkpoint ?? "");
    const freezeGraph = async (graph: string): Promise<FreezeResult> => {
      const source = await readSource(path, { graph });
      if (source.kind !== "tensorflow-checkpoint") throw new TypeError(`found ${source.kind}`);
      return freeze({ source, out: join(await createTemporaryFolder(), "artifact"), outputs: ["probs"] });
    };
    const [text, binary] = [await freezeGraph(join(path, "../graph.meta")), await freezeGraph(`${path}.meta`)];
    expect(await readFile(join(text.path, "frozen.pb"))).toEqual(await readFile(join(binary.path, "frozen.pb")));
  });
});
