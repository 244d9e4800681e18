import { fromBinary } from "@bufbuild/protobuf";
import { digestBytes } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  bindSignature,
  emitGraphDef,
  emitGraphModel,
  emitOnnx,
  emitSavedModel,
  serializeGraphDef,
} from "../src/emit/index.js";
import { attribute } from "../src/ir/attribute.js";
import type { Graph, SymbolicShape, ValueInfo, ValueRef } from "../src/ir/graph.js";
import { type GraphProto, ModelProtoSchema } from "../src/proto/gen/onnx/onnx_pb.js";
import { buildGraph, wave } from "./build-graph.js";
import { allFormats, expectClose, type Feeds, runFormat, toOutput } from "./run-formats.js";

const { bool, int, ints, string } = attribute;
const float32 = (...shape: SymbolicShape): ValueInfo[] => [{ dtype: "float32", shape }];

const sameWindow = { strides: ints([1, 1, 1, 1]), padding: string("SAME"), data_format: string("NHWC") };

/** A small residual network: convolutions, bias, activations, pooling, a join of channels, and a softmax on top. */
function buildResidualNetwork(): { graph: Graph; feeds: Feeds; expected: tf.Tensor[] } {
  const builder = buildGraph();
  const stem = wave([3, 3, 3, 4], 0.3) as tf.Tensor4D;
  const branch = wave([3, 3, 4, 4], 0.3, 0.1) as tf.Tensor4D;
  const [bias, scale, head] = [wave([4]), wave([1, 1, 1, 4]), wave([8, 5])];
  const input = builder.input("image", "float32", [null, 8, 8, 3]);
  const convolved = builder.node("Conv2D", [input, builder.constant(stem)], float32(null, 8, 8, 4), sameWindow, "stem");
  const biased = builder.node("BiasAdd", [convolved, builder.constant(bias)], float32(null, 8, 8, 4));
  const active = builder.node("Relu", [biased], float32(null, 8, 8, 4));
  const pooled = builder.node("MaxPool", [active], float32(null, 4, 4, 4), {
    ...sameWindow,
    ksize: ints([1, 2, 2, 1]),
    strides: ints([1, 2, 2, 1]),
  });
  const residual = builder.node("Conv2D", [pooled, builder.constant(branch)], float32(null, 4, 4, 4), sameWindow);
  const scaled = builder.node("Mul", [residual, builder.constant(scale)], float32(null, 4, 4, 4));
  const sum = builder.node("AddV2", [scaled, pooled], float32(null, 4, 4, 4));
  const joined = builder.node(
    "ConcatV2",
    [sum, pooled, builder.constant(tf.scalar(3, "int32"))],
    float32(null, 4, 4, 8),
  );
  const axes = builder.constant(tf.tensor1d([1, 2], "int32"));
  const mean = builder.node("Mean", [joined, axes], float32(null, 8), { keep_dims: bool(false) });
  const logits = builder.node("MatMul", [mean, builder.constant(head)], float32(null, 5));
  const graph = builder.build({ probabilities: builder.node("Softmax", [logits], float32(null, 5)) });

  const image = wave([2, 8, 8, 3]) as tf.Tensor4D;
  const pooledValue = tf.maxPool(tf.relu(tf.add<tf.Tensor4D>(tf.conv2d(image, stem, 1, "same"), bias)), 2, 2, "same");
  const sumValue = tf.add(tf.mul(tf.conv2d(pooledValue, branch, 1, "same"), scale), pooledValue);
  const expected = tf.softmax(tf.matMul(tf.mean(tf.concat([sumValue, pooledValue], 3), [1, 2]), head));
  return { graph, feeds: { image }, expected: [expected] };
}

function onnxGraph(graph: Graph): GraphProto {
  const model = fromBinary(ModelProtoSchema, emitOnnx(graph, { name: "test" }));
  return model.graph!;
}

const opsOf = (graph: Graph): string[] =>
  (emitGraphModel(graph).modelTopology as unknown as { node: { op: string }[] }).node.map(({ op }) => op);

const bytesOf = (): string[] => {
  const { graph } = buildResidualNetwork();
  const graphModel = emitGraphModel(graph);
  return [
    emitOnnx(graph, { name: "test", metadata: { b: "2", a: "1" } }),
    serializeGraphDef(emitGraphDef(graph)),
    emitSavedModel(emitGraphDef(graph), { serving_default: bindSignature(graph) }),
    new Uint8Array(graphModel.weightData),
    new TextEncoder().encode(JSON.stringify([graphModel.modelTopology, graphModel.signature])),
  ].map(digestBytes);
};

/** Outputs that are an input, a constant, the second of two parts, and the same value twice. */
function buildOddOutputs(): { graph: Graph; feeds: Feeds; expected: tf.Tensor[] } {
  const builder = buildGraph();
  const x = builder.input("my input:0, b", "float32", [null, 4]);
  const z = builder.input("a", "float32", [null, 4]);
  const axis = builder.constant(tf.scalar(1, "int32"));
  const first = builder.node("Split", [axis, x], [...float32(null, 2), ...float32(null, 2)]);
  const constant = builder.constant(wave([3]));
  const sum = builder.node("AddV2", [x, z], float32(null, 4));
  const graph = builder.build({
    "z last?": sum,
    "second part": { node: first.node, output: 1 },
    same: sum,
    passed: x,
    constant,
    "first/part": first,
  });
  const [a, b] = [wave([2, 4]), wave([2, 4], 2)];
  const [left, right] = tf.split(a, 2, 1);
  const added = tf.add(a, b);
  return {
    graph,
    feeds: { "my input:0, b": a, a: b },
    expected: [added, right!, added, a, wave([3]), left!],
  };
}

function buildUnknown(): Graph {
  const builder = buildGraph();
  const x = builder.input("x", "float32", [null, 4]);
  const one = builder.node("Frobnicate", [x], float32(null, 4), {}, "encoder/a");
  const two = builder.node("Frobnicate", [one], float32(null, 4), {}, "encoder/b");
  return builder.build({ y: builder.node("Bessel", [two], float32(null, 4), {}, "head") });
}

describe("an emitted convolutional network", () => {
  it.each(allFormats)("gives what tfjs gives as %s", async (format) => {
    const { graph, feeds, expected } = buildResidualNetwork();
    expectClose(await runFormat(format, graph, feeds), expected.map(toOutput));
  });

  it("is transposed once in ONNX, at the input", () => {
    const transposes = onnxGraph(buildResidualNetwork().graph).node.filter((node) => node.opType === "Transpose");
    expect(transposes.map((node) => node.input)).toEqual([["image"]]);
  });

  it("has its bias and activation fused in GraphModel only", () => {
    const { graph } = buildResidualNetwork();
    const ops = opsOf(graph);
    expect(ops).toContain("_FusedConv2D");
    expect(ops).not.toContain("BiasAdd");
    expect(emitGraphDef(graph).node.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
  });

  it("gives the same bytes each time", () => {
    expect(bytesOf()).toEqual(bytesOf());
  });
});

describe("fusing for GraphModel", () => {
  const weight = wave([4, 3]);
  const biasValue = wave([3]);

  function buildDense(
    activation: string,
    outputs: (biased: ValueRef, active: ValueRef) => Record<string, ValueRef>,
  ): Graph {
    const builder = buildGraph();
    const x = builder.input("x", "float32", [null, 4]);
    const product = builder.node("MatMul", [x, builder.constant(weight)], float32(null, 3));
    const biased = builder.node("BiasAdd", [product, builder.constant(biasValue)], float32(null, 3));
    const active = builder.node(activation, [biased], float32(null, 3));
    return builder.build(outputs(biased, active));
  }
  const x = wave([2, 4]);
  const biased = tf.add(tf.matMul(x, weight), biasValue);

  it.each([
    ["Relu", tf.relu],
    ["Relu6", tf.relu6],
    ["Elu", tf.elu],
    ["Sigmoid", tf.sigmoid],
  ] as const)("takes in %s", async (op, activation) => {
    const graph = buildDense(op, (_, active) => ({ y: active }));
    expect(opsOf(graph)).toEqual(["Placeholder", "Const", "Const", "_FusedMatMul"]);
    expectClose(await runFormat("graph-model", graph, { x }), [toOutput(activation(biased))]);
  });

  it("leaves other activations behind it", () => {
    expect(opsOf(buildDense("Tanh", (_, active) => ({ y: active })))).toEqual([
      "Placeholder",
      "Const",
      "Const",
      "_FusedMatMul",
      "Tanh",
    ]);
  });

  it("keeps a value that is an output too", async () => {
    const graph = buildDense("Relu", (before, active) => ({ before, active }));
    expect(opsOf(graph)).toEqual(["Placeholder", "Const", "Const", "_FusedMatMul", "Relu"]);
    expectClose(await runFormat("graph-model", graph, { x }), [toOutput(biased), toOutput(tf.relu(biased))]);
  });
});

describe("an emitted signature", () => {
  it.each(allFormats)("keeps the user's names and order in %s", async (format) => {
    const { graph, feeds, expected } = buildOddOutputs();
    expectClose(await runFormat(format, graph, feeds), expected.map(toOutput));
  });

  it("gives GraphModel.predict the order of the graph", async () => {
    const { graph, feeds, expected } = buildOddOutputs();
    const model = await tf.loadGraphModel(tf.io.fromMemory(emitGraphModel(graph)));
    const outputs = model.predict(Object.values(feeds)) as tf.Tensor[];
    expectClose(outputs.map(toOutput), expected.map(toOutput));
  });

  it("has the batch dynamic in ONNX, and outputs in order", () => {
    const { input, output } = onnxGraph(buildOddOutputs().graph);
    const dimsOf = (info: (typeof input)[number]): unknown[] =>
      info.type?.value.value?.shape?.dim.map((dim) => dim.value.value) ?? [];
    expect(input.map((info) => [info.name, dimsOf(info)])).toEqual([
      ["my input:0, b", ["batch", 4n]],
      ["a", ["batch", 4n]],
    ]);
    expect(output.map((info) => [info.name, dimsOf(info)])).toEqual([
      ["z last?", [undefined, 4n]],
      ["second part", [undefined, 2n]],
      ["same", [undefined, 4n]],
      ["passed", [undefined, 4n]],
      ["constant", [3n]],
      ["first/part", [undefined, 2n]],
    ]);
  });

  it("numbers an ONNX output that is named like an input", () => {
    const builder = buildGraph();
    const x = builder.input("x", "float32", [null, 4]);
    const { output } = onnxGraph(builder.build({ x: builder.node("Relu", [x], float32(null, 4)) }));
    expect(output.map(({ name }) => name)).toEqual(["x_1"]);
  });
});

describe("what a format cannot express", () => {
  const ops = [
    { op: "Frobnicate", layers: ["encoder/a", "encoder/b"] },
    { op: "Bessel", layers: ["head"] },
  ];

  it.each([
    ["GraphDef", emitGraphDef],
    ["GraphModel", emitGraphModel],
    ["ONNX", (graph: Graph) => emitOnnx(graph, { name: "test" })],
  ] as const)("is listed at once with the layers, for %s", (format, emit) => {
    expect(() => emit(buildUnknown())).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_OP", details: expect.objectContaining({ format }) }),
    );
    expect(() => emit(buildUnknown())).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ ops: ops.map((each) => expect.objectContaining(each)) }),
      }),
    );
  });

  it("is a pooling with explicit padding, for GraphModel", () => {
    const builder = buildGraph();
    const x = builder.input("x", "float32", [null, 4, 4, 1]);
    const attributes = { ksize: ints([1, 2, 2, 1]), strides: ints([1, 1, 1, 1]), padding: string("EXPLICIT") };
    const graph = builder.build({ y: builder.node("MaxPool", [x], float32(null, 5, 5, 1), attributes, "pool") });
    expect(() => emitGraphModel(graph)).toThrow(expect.objectContaining({ code: "UNSUPPORTED_OP" }));
  });

  it("is an attribute that is unknown, missing or of another kind, for GraphDef", () => {
    const builder = buildGraph();
    const x = builder.input("x", "float32", [null, 4, 4, 1]);
    const attributes = { strides: int(1), ksize: ints([1, 2, 2, 1]), shape: ints([]) };
    const graph = builder.build({ y: builder.node("MaxPool", [x], float32(null, 5, 5, 1), attributes) });
    const node = graph.nodes[1]!.name;
    expect(() => emitGraphDef(graph)).toThrow(
      expect.objectContaining({
        code: "GRAPH_INVALID",
        details: {
          issues: ["shape", "strides", "padding"].map((name) => expect.objectContaining({ path: `${node}.${name}` })),
        },
      }),
    );
  });
});
