import { hasControlFlow } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import * as ort from "onnxruntime-node";
import { expect } from "vitest";

import {
  bindSignature,
  convertGraphDefToGraphModel,
  emitGraphDef,
  type EmitGraphDefOptions,
  emitGraphModel,
  emitOnnx,
  emitSavedModel,
  type GraphModel,
  parseGraphDef,
  parseSavedModel,
  serializeGraphDef,
} from "../src/emit/index.js";
import type { Graph } from "../src/ir/graph.js";
import { dtypeOf, valuesOf } from "./build-graph.js";

export type Feeds = Readonly<Record<string, tf.Tensor>>;
export type Format = "graph-model" | "graph-def" | "saved-model" | "onnx";
export const allFormats: readonly Format[] = ["graph-model", "graph-def", "saved-model", "onnx"];

/** An output as plain values, whatever ran it. */
export interface Output {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

type Run = (graph: Graph, feeds: Feeds, options: EmitGraphDefOptions) => Promise<Output[]>;

const runs: Readonly<Record<Format, Run>> = {
  "graph-model": (graph, feeds, options) => runGraphModel(emitGraphModel(graph, options), graph, feeds),
  "graph-def": (graph, feeds, options) => {
    const graphDef = parseGraphDef(serializeGraphDef(emitGraphDef(graph, options)));
    return runGraphModel(convertGraphDefToGraphModel(graphDef, bindSignature(graph)), graph, feeds);
  },
  "saved-model": (graph, feeds, options) => {
    const bytes = emitSavedModel(emitGraphDef(graph, options), bindSignature(graph));
    const { graphDef, signature } = parseSavedModel(bytes);
    return runGraphModel(convertGraphDefToGraphModel(graphDef, signature), graph, feeds);
  },
  onnx: (graph, feeds) => runOnnx(emitOnnx(graph, { name: "test" }), graph, feeds),
};

/** Runs the bytes of one format and gives the outputs in the order of the signature. */
export async function runFormat(
  format: Format,
  graph: Graph,
  feeds: Feeds,
  options: EmitGraphDefOptions = {},
): Promise<Output[]> {
  return await runs[format](graph, feeds, options);
}

async function runGraphModel(artifacts: GraphModel, graph: Graph, feeds: Feeds): Promise<Output[]> {
  const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
  const names = graph.outputs.map((output) => output.name);
  const isAsync = hasControlFlow(artifacts.modelTopology);
  const result = isAsync ? await model.executeAsync({ ...feeds }, names) : model.execute({ ...feeds }, names);
  const outputs = (Array.isArray(result) ? result : [result]).map(toOutput);
  model.dispose();
  return outputs;
}

async function runOnnx(bytes: Uint8Array, graph: Graph, feeds: Feeds): Promise<Output[]> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const results = await session.run(
    Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrtTensor(tensor)])),
  );
  await session.release();
  return graph.outputs.map(({ name }) => {
    const result = results[name];
    if (result === undefined) {
      throw new Error(`no output ${name}`);
    }
    const { data } = result;
    return { dtype: result.type, shape: result.dims, values: Array.from(data as Float32Array, Number) };
  });
}

function toOrtTensor(tensor: tf.Tensor): ort.Tensor {
  const values = valuesOf(tensor);
  if (tensor.dtype === "bool") {
    return new ort.Tensor("bool", Uint8Array.from(values), tensor.shape);
  }
  return values instanceof Float32Array
    ? new ort.Tensor("float32", values, tensor.shape)
    : new ort.Tensor("int32", Int32Array.from(values), tensor.shape);
}

export function toOutput(tensor: tf.Tensor): Output {
  return { dtype: dtypeOf(tensor), shape: tensor.shape, values: Array.from(valuesOf(tensor)) };
}

/** Asserts equal types and shapes, and values within `tolerance`, relative above one. */
export function expectClose(found: readonly Output[], expected: readonly Output[], tolerance = 1e-6): void {
  expect(found.map(({ dtype, shape }) => ({ dtype, shape: [...shape] }))).toEqual(
    expected.map(({ dtype, shape }) => ({ dtype, shape: [...shape] })),
  );
  for (const [output, { values }] of expected.entries()) {
    const worst = values.reduce((largest, value, index) => {
      const other = found[output]?.values[index] ?? Number.NaN;
      const error =
        Object.is(other, value) || other === value ? 0 : Math.abs(other - value) / Math.max(1, Math.abs(value));
      // A NaN on one side only is the largest error there is.
      return Math.max(largest, Number.isNaN(error) ? Infinity : error);
    }, 0);
    expect(worst, `output ${output}`).toBeLessThanOrEqual(tolerance);
  }
}
