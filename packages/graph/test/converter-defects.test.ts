import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureModel, type Graph, optimize } from "../src/index.js";
import { makeInputs, randomizeWeights } from "./compare-model.js";
import { Lambda } from "./custom-layers.js";
import { allFormats, expectClose, runFormat, toOutput } from "./run-formats.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor =>
  layer.apply(x) as tf.SymbolicTensor;
const convolution = (): tf.layers.Layer =>
  layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", useBias: false, name: "conv" });

/** Holds every format against the model, and gives the graph they were made of. */
async function check(model: tf.LayersModel): Promise<Graph> {
  randomizeWeights(model);
  const graph = optimize(captureModel(model).graph);
  const [input] = makeInputs(model, 5);
  const result = model.predict(input!);
  const expected = (Array.isArray(result) ? result : [result]).map(toOutput);
  for (const format of allFormats) {
    const feeds = { [graph.inputs[0]!.name]: input! };
    expectClose(await runFormat(format, graph, feeds), expected, 5e-6);
  }
  return graph;
}

const count = (graph: Graph, op: string): number => graph.nodes.filter((node) => node.op === op).length;

// What TensorFlow.js's converter in Python makes of each of these is wrong.
describe("a defect of the Python converter is not here:", () => {
  it("normalization is folded into a convolution that has a second reader, which then gets scaled values", async () => {
    const input = tf.input({ shape: [6, 6, 2] });
    const convolved = apply(convolution(), input);
    const normalized = apply(layers.batchNormalization(), convolved);
    const graph = await check(
      tf.model({ inputs: input, outputs: apply(layers.concatenate(), [convolved, normalized]) }),
    );
    expect(count(graph, "Conv2D")).toBe(1);
    expect(count(graph, "Mul")).toBe(1);
  });

  it("and so where the second reader is an output of the model", async () => {
    const input = tf.input({ shape: [6, 6, 2] });
    const convolved = apply(convolution(), input);
    await check(tf.model({ inputs: input, outputs: [convolved, apply(layers.batchNormalization(), convolved)] }));
  });

  it("a kernel that two convolutions share is dropped when one of them takes in its normalization", async () => {
    const input = tf.input({ shape: [6, 6, 2] });
    const shared = convolution();
    const turned = apply(new Lambda((x) => tf.reverse(x, 1)), input);
    const normalized = apply(layers.batchNormalization(), apply(shared, input));
    const graph = await check(
      tf.model({ inputs: input, outputs: apply(layers.add(), [normalized, apply(shared, turned)]) }),
    );
    expect(count(graph, "Conv2D")).toBe(2);
    expect(count(graph, "Mul")).toBe(0);
    const kernels = graph.nodes.flatMap(({ op, inputs }) => (op === "Conv2D" ? [inputs[1]?.node] : []));
    expect(new Set(kernels).size).toBe(2);
  });

  it("the sum of a convolution and another tensor becomes a BiasAdd with a bias of four axes", async () => {
    const input = tf.input({ shape: [6, 6, 3] });
    const graph = await check(
      tf.model({ inputs: input, outputs: apply(layers.add(), [apply(convolution(), input), input]) }),
    );
    expect(count(graph, "BiasAdd")).toBe(0);
    expect(count(graph, "AddV2")).toBe(1);
  });
});
