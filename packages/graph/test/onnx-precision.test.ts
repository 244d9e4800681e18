import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";

import { emitOnnx } from "../src/index.js";
import { buildGraph } from "./build-graph.js";

/** What an operation computes in ONNX Runtime of these values. */
async function computeInOnnx(op: string, ...inputs: readonly Float32Array[]): Promise<readonly number[]> {
  const builder = buildGraph();
  const shape = [inputs[0]?.length ?? 0];
  const refs = inputs.map((_, index) => builder.input(`x${index}`, "float32", shape));
  const graph = builder.build({ y: builder.node(op, refs, [{ dtype: "float32", shape }]) });
  const session = await ort.InferenceSession.create(emitOnnx(graph, { name: op }));
  const feeds = inputs.map((values, index) => [`x${index}`, new ort.Tensor("float32", values, shape)] as const);
  const results = await session.run(Object.fromEntries(feeds));
  const values = results["y"]?.data;
  return values instanceof Float32Array ? [...values] : [];
}

/** From 1e-8 to 1, and the same below 0 to -0.99. */
const magnitudes = Array.from({ length: 4001 }, (_, index) => 10 ** (index / 500 - 8));
const samples = Float32Array.from([...magnitudes, ...magnitudes.map((value) => -0.99 * value)]);

describe("ONNX keeps float32's digits", () => {
  it.each<[string, (value: number) => number]>([
    ["Expm1", Math.expm1],
    ["Log1p", Math.log1p],
  ])("near 0: %s", async (op, exact) => {
    const results = await computeInOnnx(op, samples);
    expect(results).toHaveLength(samples.length);
    const errors = results.map((result, at) => {
      const expected = exact(samples[at] ?? 0);
      return Math.abs(result - expected) / Math.abs(expected);
    });
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });

  it.each<[string, readonly number[], readonly number[]]>([
    ["Expm1", [-Infinity, -200, 0, 200], [-1, -1, 0, Infinity]],
    ["Log1p", [-1, 0, Infinity, -2], [-Infinity, 0, Infinity, Number.NaN]],
  ])("and limits: %s", async (op, inputs, expected) => {
    expect(await computeInOnnx(op, Float32Array.from(inputs))).toEqual(expected);
  });
});

it("ONNX knows the sign of a zero that Atan2 is of", async () => {
  const values = [1, -1, 0, -0];
  const y = values.flatMap((value) => values.map(() => value));
  const x = values.flatMap(() => values);
  const results = await computeInOnnx("Atan2", Float32Array.from(y), Float32Array.from(x));
  expect(results).toHaveLength(16);
  const differences = results.map((result, at) => Math.abs(result - Math.atan2(y[at] ?? 0, x[at] ?? 0)));
  expect(Math.max(...differences)).toBeLessThan(1e-6);
});
