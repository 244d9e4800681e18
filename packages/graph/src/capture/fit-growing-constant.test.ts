import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { toOutput } from "../../test/run-formats.js";
import { runGraph } from "../../test/run-graph.js";
import { captureFunction } from "../index.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

type Compute = (x: tf.Tensor, batch: number) => tf.Tensor;

function capture(compute: Compute): ReturnType<typeof captureFunction> {
  return captureFunction((x) => compute(x, x.shape[0] ?? 0), {
    inputs: [{ name: "x", dtype: "float32", shape: [null, 2] }],
    outputs: [{ name: "y", dtype: "float32", shape: [null, 2] }],
  });
}

describe("a constant that grows with the batch", () => {
  it.each<[string, Compute]>([
    ["of one value", (x, batch) => tf.add(x, tf.mul(tf.ones([batch, 2]), 3))],
    [
      "of one row for each example",
      (x, batch) => tf.add(x, tf.tensor2d(Array.from({ length: batch }, () => [0.5, -1]))),
    ],
    ["of the numbers of the examples", (x, batch) => tf.gather(x, tf.range(0, batch, 1, "int32"))],
  ])("%s goes on at every batch size", (_, compute) => {
    const { graph } = capture(compute);
    for (const batch of [1, 4]) {
      const x = tf.randomNormal([batch, 2], 0, 1, "float32", 5);
      expect(toOutput(runGraph(graph, [x])[0]!)).toEqual(toOutput(compute(x, batch)));
    }
  });

  it.each<[string, Compute]>([
    ["counts from 1", (x, batch) => tf.gather(tf.concat([x, x]), tf.range(1, batch + 1, 1, "int32"))],
    ["has other rows", (x, batch) => tf.add(x, tf.tensor2d(Array.from({ length: batch }, (_, row) => [row, 1])))],
    ["shrinks as it grows", (x, batch) => tf.add(x, tf.div(tf.ones([batch, 2]), batch))],
  ])("that %s is refused", (_, compute) => {
    expect(() => capture(compute)).toThrow(expect.toSatisfy((error) => isCkptError(error, "IMPURE_COMPUTATION")));
  });
});
