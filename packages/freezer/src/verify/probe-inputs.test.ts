import { captureModel } from "@ckpt/graph";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { createDenseModel } from "../../test/models.js";
import { findIndexLimits } from "./index-limit.js";
import { makeProbeInputs } from "./probe-inputs.js";

const emptyGraph = { inputs: [], outputs: [], nodes: [] };

describe("makeProbeInputs", () => {
  it("gives equal values for equal arguments and others for another batch", () => {
    const { graph, signature } = captureModel(createDenseModel());
    const first = makeProbeInputs(graph, signature.inputs, 5);
    expect(makeProbeInputs(graph, signature.inputs, 5)).toEqual(first);
    expect(first[0]?.shape).toEqual([5, 64]);
    expect(makeProbeInputs(graph, signature.inputs, 17)[0]?.data.subarray(0, 5 * 64)).not.toEqual(first[0]?.data);
  });

  it("spreads over the range of each dtype", () => {
    const specs = [
      { name: "a", dtype: "float32", shape: [null, 1000] },
      { name: "b", dtype: "int32", shape: [null, 1000] },
      { name: "c", dtype: "bool", shape: [null, 1000] },
    ] as const;
    const [floats, integers, booleans] = makeProbeInputs(emptyGraph, specs, 1).map(({ data }) => data);
    expect(Math.min(...(floats ?? []))).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...(floats ?? []))).toBeLessThan(1);
    expect(new Set(Array.from(floats ?? [], (value) => Math.floor(value * 10))).size).toBe(20);
    expect(new Set(integers)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(new Set(booleans)).toEqual(new Set([0, 1]));
  });

  it.each(["float32", "int32"] as const)("goes over all rows of the table that a %s input looks up", (dtype) => {
    const input = tf.input({ shape: [50], dtype });
    const rows = tf.layers.embedding({ inputDim: 13, outputDim: 2 }).apply(input) as tf.SymbolicTensor;
    const { graph, signature } = captureModel(tf.model({ inputs: input, outputs: rows }));
    const [probe] = makeProbeInputs(graph, signature.inputs, 17);
    expect(new Set(probe?.data)).toEqual(new Set(Array.from({ length: 13 }, (_, row) => row)));
  });
});

describe("findIndexLimits", () => {
  it("leaves out inputs that are not used as an index", () => {
    expect(findIndexLimits(captureModel(createDenseModel()).graph).size).toBe(0);
  });

  it("finds a table that is used in each step of time", () => {
    const layer = tf.layers.embedding({ inputDim: 7, outputDim: 2 });
    const input = tf.input({ shape: [3, 4], name: "words" });
    const outputs = tf.layers.timeDistributed({ layer }).apply(input) as tf.SymbolicTensor;
    const { graph } = captureModel(tf.model({ inputs: input, outputs }));
    expect([...findIndexLimits(graph)]).toEqual([["words", 7]]);
  });
});
