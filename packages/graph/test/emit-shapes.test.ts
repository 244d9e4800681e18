import * as tf from "@tensorflow/tfjs";

import { attribute } from "../src/ir/attribute.js";
import type { Attribute } from "../src/ir/graph.js";
import { wave } from "./build-graph.js";
import { describeOps, type OpCase } from "./op-case.js";

const { bool, int, ints, string } = attribute;

const int1d = (...values: number[]): tf.Tensor => tf.tensor1d(values, "int32");
const intScalar = (value: number): tf.Tensor => tf.scalar(value, "int32");
const x34 = (): tf.Tensor => wave([3, 4], 2);
const positive34 = (): tf.Tensor => wave([3, 4], 1, 1.5);
const x345 = (): tf.Tensor => wave([3, 4, 5]);
const image = (): tf.Tensor => wave([2, 5, 6, 3]);
const shapes: readonly OpCase[] = [
  { op: "Reshape", fed: [x345()], constants: { 1: int1d(-1, 20) }, expected: (x) => tf.reshape(x, [-1, 20]) },
  { op: "Reshape", note: "shape at run time", fed: [x345(), int1d(-1, 10)], expected: (x) => tf.reshape(x, [-1, 10]) },
  {
    op: "Reshape",
    note: "to nothing",
    fed: [tf.zeros([2, 0])],
    constants: { 1: int1d(0, 2) },
    expected: (x) => tf.reshape(x, [0, 2]),
    isStatic: true,
    // proto3 JSON leaves out a size of 0, which tfjs then cannot read.
    formats: ["onnx"],
  },
  {
    op: "Transpose",
    fed: [x345()],
    constants: { 1: int1d(0, 2, 1) },
    expected: (x) => tf.transpose(x, [0, 2, 1]),
  },
  { op: "ExpandDims", fed: [x34()], constants: { 1: intScalar(-1) }, expected: (x) => tf.expandDims(x, -1) },
  {
    op: "Squeeze",
    fed: [wave([3, 1, 4, 1])],
    attributes: { squeeze_dims: ints([1]) },
    expected: (x) => tf.squeeze(x, [1]),
  },
  {
    op: "PadV2",
    fed: [x34()],
    constants: {
      1: tf.tensor2d(
        [
          [0, 0],
          [1, 2],
        ],
        [2, 2],
        "int32",
      ),
      2: tf.scalar(7),
    },
    expected: (x) =>
      tf.pad(
        x,
        [
          [0, 0],
          [1, 2],
        ],
        7,
      ),
  },
  ...(["reflect", "symmetric"] as const).map((mode): OpCase => ({
    op: "MirrorPad",
    note: mode,
    fed: [x34()],
    constants: {
      1: tf.tensor2d(
        [
          [0, 0],
          [3, 2],
        ],
        [2, 2],
        "int32",
      ),
    },
    attributes: { mode: string(mode.toUpperCase()) },
    expected: (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [3, 2],
        ],
        mode,
      ),
  })),
  { op: "Tile", fed: [x34()], constants: { 1: int1d(1, 3) }, expected: (x) => tf.tile(x, [1, 3]) },
  { op: "Shape", fed: [x345()], expected: (x) => tf.tensor1d(x.shape, "int32"), isStatic: true },
  {
    op: "Fill",
    fed: [int1d(2, 3)],
    constants: { 1: tf.scalar(1.5) },
    expected: () => tf.mul(tf.ones([2, 3]), 1.5),
    isStatic: true,
  },
  {
    op: "OneHot",
    fed: [int1d(1, 0, 4, -1)],
    constants: { 1: intScalar(3), 2: tf.scalar(2), 3: tf.scalar(-2) },
    expected: (x) => tf.oneHot(x, 3, 2, -2, "float32"),
  },
  {
    op: "Range",
    fed: [],
    constants: { 0: intScalar(2), 1: intScalar(11), 2: intScalar(3) },
    expected: () => tf.range(2, 11, 3, "int32"),
    isStatic: true,
  },
  {
    op: "BroadcastTo",
    fed: [wave([3, 1])],
    constants: { 1: int1d(3, 4) },
    expected: (x) => tf.broadcastTo(x, [3, 4]),
    isStatic: true,
  },
  ...[
    { align_corners: bool(true), half_pixel_centers: bool(false) },
    { align_corners: bool(false), half_pixel_centers: bool(true) },
    { align_corners: bool(false), half_pixel_centers: bool(false) },
  ].flatMap((attributes): OpCase[] => {
    const rule = [attributes.align_corners.value === true, attributes.half_pixel_centers.value === true] as const;
    const note = `align ${rule[0]}, half pixel ${rule[1]}`;
    const constants = { 1: int1d(10, 9) };
    return [
      {
        op: "ResizeBilinear",
        note,
        fed: [image()],
        constants,
        attributes,
        expected: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [10, 9], ...rule),
      },
      {
        op: "ResizeNearestNeighbor",
        note,
        fed: [image()],
        constants,
        attributes,
        expected: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [10, 9], ...rule),
      },
    ];
  }),
];

const masks = (values: Record<string, number>): Record<string, Attribute> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${name}_mask`, int(value)]));
const slices: readonly OpCase[] = [
  {
    op: "Slice",
    fed: [x345()],
    constants: { 1: int1d(0, 1, 2), 2: int1d(-1, 2, -1) },
    expected: (x) => tf.slice(x, [0, 1, 2], [-1, 2, -1]),
  },
  {
    op: "Slice",
    note: "at run time",
    fed: [x345(), int1d(1, 1, 2), int1d(-1, 2, -1)],
    expected: (x) => tf.slice(x, [1, 1, 2], [-1, 2, -1]),
  },
  {
    op: "StridedSlice",
    note: "negative stride",
    fed: [x345()],
    constants: { 1: int1d(0, -1, 4), 2: int1d(0, 0, -1), 3: int1d(1, -2, -1) },
    attributes: masks({ begin: 1, end: 5 }),
    expected: (x) => tf.stridedSlice(x, [0, -1, 4], [0, 0, -1], [1, -2, -1], 1, 5),
  },
  {
    op: "StridedSlice",
    note: "shrink last",
    fed: [x345()],
    constants: { 1: int1d(0, -1), 2: int1d(0, 0), 3: int1d(1, 1) },
    attributes: masks({ begin: 1, end: 1, shrink_axis: 2 }),
    expected: (x) => tf.stridedSlice(x, [0, -1], [0, 0], [1, 1], 1, 1, 0, 0, 2),
  },
  {
    op: "StridedSlice",
    note: "ellipsis, new axis",
    fed: [x345()],
    constants: { 1: int1d(0, 0, 1), 2: int1d(0, 0, 4), 3: int1d(1, 1, 2) },
    attributes: masks({ ellipsis: 1, new_axis: 2 }),
    expected: (x) => tf.expandDims(tf.stridedSlice(x, [0, 0, 1], [0, 0, 4], [1, 1, 2], 3, 3), 2),
    // tfjs 4.22 places the new axis wrongly behind an ellipsis.
    formats: ["onnx"],
  },
  {
    op: "ConcatV2",
    fed: [x34(), positive34()],
    constants: { 2: intScalar(-1) },
    expected: (a, b) => tf.concat([a, b], 1),
  },
  {
    op: "Pack",
    fed: [x34(), positive34()],
    attributes: { axis: int(1) },
    expected: (a, b) => tf.stack([a, b], 1),
  },
  { op: "Unpack", fed: [x34()], attributes: { axis: int(1) }, expected: (x) => tf.unstack(x, 1) },
  { op: "Split", fed: [x34()], constants: { 0: intScalar(1) }, expected: (x) => tf.split(x, 2, 1) },
  {
    op: "SplitV",
    fed: [x34()],
    constants: { 1: int1d(1, 3), 2: intScalar(-1) },
    expected: (x) => tf.split(x, [1, 3], 1),
  },
  {
    op: "GatherV2",
    fed: [x345()],
    constants: {
      1: tf.tensor2d(
        [
          [3, 0],
          [1, 1],
        ],
        [2, 2],
        "int32",
      ),
      2: intScalar(1),
    },
    expected: (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [3, 0],
            [1, 1],
          ],
          [2, 2],
          "int32",
        ),
        1,
      ),
  },
  {
    op: "GatherV2",
    note: "embedding",
    fed: [
      tf.tensor2d(
        [
          [3, 0],
          [1, 1],
        ],
        [2, 2],
        "int32",
      ),
    ],
    constants: { 0: wave([4, 3]), 2: intScalar(0) },
    expected: (x) => tf.gather(wave([4, 3]), x, 0),
  },
  {
    op: "GatherV2",
    note: "batch",
    fed: [
      x345(),
      tf.tensor2d(
        [
          [3, 0],
          [1, 1],
          [2, 0],
        ],
        [3, 2],
        "int32",
      ),
    ],
    constants: { 2: intScalar(1) },
    attributes: { batch_dims: int(1) },
    expected: (x, indices) => tf.gather(x, indices, 1, 1),
  },
  {
    op: "GatherNd",
    fed: [x34()],
    constants: {
      1: tf.tensor2d(
        [
          [0, 1],
          [2, 3],
        ],
        [2, 2],
        "int32",
      ),
    },
    expected: (x) =>
      tf.gatherND(
        x,
        tf.tensor2d(
          [
            [0, 1],
            [2, 3],
          ],
          [2, 2],
          "int32",
        ),
      ),
    isStatic: true,
  },
  {
    op: "ScatterNd",
    fed: [wave([3, 4])],
    constants: { 0: tf.tensor2d([[1], [3], [1]], [3, 1], "int32"), 2: int1d(5, 4) },
    expected: (x) => tf.scatterND(tf.tensor2d([[1], [3], [1]], [3, 1], "int32"), x, [5, 4]),
    isStatic: true,
  },
  { op: "ReverseV2", fed: [x345()], constants: { 1: int1d(1, 2) }, expected: (x) => tf.reverse(x, [1, 2]) },
];

describeOps("operations on shapes", shapes);
describeOps("operations that cut, join and pick", slices);
