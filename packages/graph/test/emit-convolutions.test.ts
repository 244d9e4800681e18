import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { attribute } from "../src/ir/attribute.js";
import type { Attribute, SymbolicShape, ValueRef } from "../src/ir/graph.js";
import { buildGraph, type GraphBuilder, wave } from "./build-graph.js";
import { allFormats, expectClose, type Format, runFormat, toOutput } from "./run-formats.js";

const { ints, string } = attribute;

type Padding = "same" | "valid";
type Pair = readonly [number, number];

interface WindowCase {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
  /** Height and width are known only at run time. */
  readonly isDynamic: boolean;
}

const cases: readonly WindowCase[] = [
  { size: [3, 3], strides: [1, 1], padding: "same", dilations: [1, 1], isDynamic: false },
  { size: [3, 2], strides: [2, 3], padding: "same", dilations: [1, 1], isDynamic: false },
  { size: [2, 3], strides: [2, 2], padding: "valid", dilations: [1, 1], isDynamic: false },
  { size: [3, 3], strides: [1, 1], padding: "same", dilations: [2, 1], isDynamic: false },
  { size: [1, 1], strides: [2, 2], padding: "same", dilations: [1, 1], isDynamic: false },
  { size: [3, 2], strides: [2, 2], padding: "same", dilations: [1, 1], isDynamic: true },
  { size: [2, 1], strides: [3, 2], padding: "valid", dilations: [1, 1], isDynamic: true },
];

const image = (): tf.Tensor4D => wave([2, 7, 8, 3]) as tf.Tensor4D;
const describeCase = ({ size, strides, padding, dilations, isDynamic }: WindowCase): string =>
  `${size.join("x")} stride ${strides.join("x")} dilation ${dilations.join("x")} ${padding}${isDynamic ? " dynamic" : ""}`;

function windowAttributes({ strides, padding, dilations }: WindowCase): Record<string, Attribute> {
  return {
    strides: ints([1, ...strides, 1]),
    padding: string(padding.toUpperCase()),
    dilations: ints([1, ...dilations, 1]),
    data_format: string("NHWC"),
  };
}

/** Runs a node on an image in every format and compares. */
async function check(
  expected: tf.Tensor,
  isDynamic: boolean,
  addNode: (builder: GraphBuilder, x: ValueRef, shape: SymbolicShape) => ValueRef,
  formats: readonly Format[] = allFormats,
): Promise<void> {
  const builder = buildGraph();
  const x = image();
  const dynamic = (shape: number[]): SymbolicShape =>
    isDynamic ? [null, null, null, shape[3]!] : [null, ...shape.slice(1)];
  const input = builder.input("image", "float32", dynamic(x.shape));
  const graph = builder.build({ result: addNode(builder, input, dynamic(expected.shape)) });
  for (const format of formats) {
    expectClose(await runFormat(format, graph, { image: x }), [toOutput(expected)], 2e-6);
  }
}

const float32 = (shape: SymbolicShape) => [{ dtype: "float32" as const, shape }];

describe.each(cases.map((each) => [describeCase(each), each] as const))("a window of %s", (_, each) => {
  const { size, strides, padding, dilations, isDynamic } = each;
  it("convolves", async () => {
    const filter = wave([...size, 3, 5]) as tf.Tensor4D;
    const expected = tf.conv2d(image(), filter, [...strides], padding, "NHWC", [...dilations]);
    await check(expected, isDynamic, (builder, x, shape) =>
      builder.node("Conv2D", [x, builder.constant(filter)], float32(shape), windowAttributes(each)),
    );
  });

  it("convolves each channel apart", async () => {
    const filter = wave([...size, 3, 2]) as tf.Tensor4D;
    const expected = tf.depthwiseConv2d(image(), filter, [...strides], padding, "NHWC", [...dilations]);
    await check(expected, isDynamic, (builder, x, shape) =>
      builder.node("DepthwiseConv2dNative", [x, builder.constant(filter)], float32(shape), windowAttributes(each)),
    );
  });
});

describe.each(
  cases
    // TensorFlow dilates neither of these.
    .filter(({ dilations }) => dilations.every((dilation) => dilation === 1))
    .map((each) => [describeCase(each), each] as const),
)("an undilated window of %s", (_, each) => {
  const { size, strides, padding, isDynamic } = each;

  it.each(["MaxPool", "AvgPool"] as const)("pools by %s", async (op) => {
    const pool = op === "MaxPool" ? tf.maxPool : tf.avgPool;
    const expected = pool(image(), [...size], [...strides], padding);
    const { strides: _, ...rest } = windowAttributes(each);
    const attributes = {
      ksize: ints([1, ...size, 1]),
      strides: ints([1, ...strides, 1]),
      padding: rest["padding"]!,
      data_format: rest["data_format"]!,
    };
    await check(expected, isDynamic, (builder, x, shape) => builder.node(op, [x], float32(shape), attributes));
  });

  it("convolves transposed", async () => {
    const filter = wave([...size, 4, 3]) as tf.Tensor4D;
    const length = (input: number, kernel: number, stride: number): number =>
      padding === "same" ? input * stride : input * stride + Math.max(kernel - stride, 0);
    const sizes: [number, number, number, number] = [
      2,
      length(7, size[0], strides[0]),
      length(8, size[1], strides[1]),
      4,
    ];
    const expected = tf.conv2dTranspose(image(), filter, sizes, [...strides], padding);
    await check(expected, isDynamic, (builder, x, shape) =>
      builder.node(
        "Conv2DBackpropInput",
        [builder.constant(tf.tensor1d(sizes, "int32")), builder.constant(filter), x],
        float32(shape),
        windowAttributes(each),
      ),
    );
  });
});

const int1d = (...values: number[]): tf.Tensor => tf.tensor1d(values, "int32");

describe("behind a convolution, where ONNX holds values channels first", () => {
  const filter = wave([2, 2, 3, 4]) as tf.Tensor4D;
  const plane = wave([6, 7, 1]);
  const keepDims = { keep_dims: { kind: "bool", value: true } } as const;
  type Following = [
    note: string,
    op: string,
    constants: readonly tf.Tensor[],
    run: (x: tf.Tensor4D) => tf.Tensor,
    attributes?: Readonly<Record<string, Attribute>>,
  ];
  const following: readonly Following[] = [
    ["a sum that reorders axes", "Sum", [int1d(1)], (x) => tf.sum(x, 1)],
    ["a mean over all but the batch", "Mean", [int1d(1, 2, 3)], (x) => tf.mean(x, [1, 2, 3])],
    ["a maximum over channels", "Max", [int1d(-1)], (x) => tf.max(x, -1)],
    ["a mean that keeps its axes", "Mean", [int1d(1, 2)], (x) => tf.mean(x, [1, 2], true), keepDims],
    ["a softmax over channels", "Softmax", [], (x) => tf.softmax(x)],
    ["a sum with a plane", "AddV2", [plane], (x) => tf.add(x, plane)],
    ["a flattening", "Reshape", [int1d(-1, 168)], (x) => tf.reshape(x, [-1, 168])],
    ["a transposition", "Transpose", [int1d(0, 2, 1, 3)], (x) => tf.transpose(x, [0, 2, 1, 3])],
    [
      "padding",
      "PadV2",
      [tf.tensor2d([0, 0, 1, 2, 0, 3, 1, 0], [4, 2], "int32"), tf.scalar(0.5)],
      (x) =>
        tf.pad(
          x,
          [
            [0, 0],
            [1, 2],
            [0, 3],
            [1, 0],
          ],
          0.5,
        ),
    ],
    ["a slice", "Slice", [int1d(0, 1, 2, 1), int1d(-1, 3, 4, 2)], (x) => tf.slice(x, [0, 1, 2, 1], [-1, 3, 4, 2])],
  ];

  it.each(following)("%s is right", async (_, op, constants, run, attributes) => {
    const convolved = tf.conv2d(image(), filter, 1, "valid");
    await check(run(convolved), false, (builder, x, shape) => {
      const node = builder.node(
        "Conv2D",
        [x, builder.constant(filter)],
        [{ dtype: "float32", shape: [null, 6, 7, 4] }],
        { strides: ints([1, 1, 1, 1]), padding: string("VALID") },
      );
      const inputs = [node, ...constants.map((constant) => builder.constant(constant))];
      return builder.node(op, inputs, [{ dtype: "float32", shape }], attributes);
    });
  });

  it("a sum with a vector known only at run time is right", async () => {
    const builder = buildGraph();
    const [x, vector] = [image(), wave([4])];
    const input = builder.input("x", "float32", [null, 7, 8, 3]);
    const convolved = builder.node(
      "Conv2D",
      [input, builder.constant(filter)],
      [{ dtype: "float32", shape: [null, 6, 7, 4] }],
      { strides: ints([1, 1, 1, 1]), padding: string("VALID") },
    );
    const inputs = [convolved, builder.input("vector", "float32", [4])];
    const result = builder.node("Mul", inputs, [{ dtype: "float32", shape: [null, 6, 7, 4] }]);
    const expected = [toOutput(tf.mul(tf.conv2d(x, filter, 1, "valid"), vector))];
    expectClose(await runFormat("onnx", builder.build({ result }), { x, vector }), expected, 2e-6);
  });
});

const dynamic = (tensor: tf.Tensor) => [
  { dtype: "float32" as const, shape: [null, ...tensor.shape.slice(1)] as SymbolicShape },
];

describe("emitted convolutions", () => {
  it("take explicit paddings", async () => {
    const filter = wave([3, 3, 3, 2]) as tf.Tensor4D;
    const expected = tf.conv2d(
      tf.pad(image(), [
        [0, 0],
        [2, 1],
        [0, 3],
        [0, 0],
      ]),
      filter,
      [2, 1],
      "valid",
    );
    await check(expected, false, (builder, x, shape) =>
      builder.node("Conv2D", [x, builder.constant(filter)], [{ dtype: "float32", shape }], {
        strides: ints([1, 2, 1, 1]),
        padding: string("EXPLICIT"),
        explicit_paddings: ints([0, 0, 2, 1, 0, 3, 0, 0]),
      }),
    );
  });

  it("take a filter known only at run time", async () => {
    const builder = buildGraph();
    const [x, filter] = [image(), wave([2, 2, 3, 4]) as tf.Tensor4D];
    const inputs = [builder.input("x", "float32", [null, 7, 8, 3]), builder.input("filter", "float32", [2, 2, 3, 4])];
    const result = builder.node("Conv2D", inputs, [{ dtype: "float32", shape: [null, 6, 7, 4] }], {
      strides: ints([1, 1, 1, 1]),
      padding: string("VALID"),
    });
    const expected = [toOutput(tf.conv2d(x, filter, 1, "valid"))];
    expectClose(await runFormat("onnx", builder.build({ result }), { x, filter }), expected, 2e-6);
  });

  it.each(["same", "valid"] as const)("work in three dimensions, %s", async (padding) => {
    const x = wave([2, 5, 6, 4, 2]) as tf.Tensor5D;
    const filter = wave([3, 2, 3, 2, 3]) as tf.Tensor5D;
    const convolved = tf.conv3d(x, filter, [1, 2, 1], padding);
    const expected = [tf.maxPool3d(convolved, 2, 2, padding), tf.avgPool3d(convolved, 2, 1, padding)];
    const builder = buildGraph();
    const input = builder.input("x", "float32", [null, 5, 6, 4, 2]);
    const shared = { padding: string(padding.toUpperCase()), data_format: string("NDHWC") };
    const node = builder.node("Conv3D", [input, builder.constant(filter)], dynamic(convolved), {
      ...shared,
      strides: ints([1, 1, 2, 1, 1]),
    });
    const ksize = ints([1, 2, 2, 2, 1]);
    const graph = builder.build({
      max: builder.node("MaxPool3D", [node], dynamic(expected[0]!), { ...shared, ksize, strides: ksize }),
      average: builder.node("AvgPool3D", [node], dynamic(expected[1]!), {
        ...shared,
        ksize,
        strides: ints([1, 1, 1, 1, 1]),
      }),
    });
    for (const format of allFormats) {
      expectClose(await runFormat(format, graph, { x }), expected.map(toOutput), 2e-6);
    }
  });

  it("are refused with channels first", async () => {
    const builder = buildGraph();
    const x = builder.input("x", "float32", [null, 3, 7, 8]);
    const filter = builder.constant(wave([2, 2, 3, 4]));
    const result = builder.node("Conv2D", [x, filter], [{ dtype: "float32", shape: [null, 4, 6, 7] }], {
      strides: ints([1, 1, 1, 1]),
      padding: string("VALID"),
      data_format: string("NCHW"),
    });
    await expect(runFormat("onnx", builder.build({ result }), {})).rejects.toMatchObject({ code: "UNSUPPORTED_OP" });
  });
});
