import * as tf from "@tensorflow/tfjs";

import { wave } from "../build-graph.js";
import { floats, image, indices, noOnnx, filter, one, type KernelCases } from "./kernel-case.js";

const cumulative = (["exclusive", "inclusive"] as const).flatMap((kind) =>
  [false, true].map((reverse) => ({
    note: `${kind}${reverse ? " reverse" : ""}`,
    exclusive: kind === "exclusive",
    reverse,
  })),
);

/** Kernels that pick, count and place elements, and those on images. */
export const lookupKernels: KernelCases = {
  Bincount: [
    {
      inputs: (batch) => [tf.reshape(indices(batch, 5, 6), [-1])],
      compute: (x) => tf.mul(tf.ones([1, 1]), tf.bincount(x as tf.Tensor1D, tf.tensor1d([]), 5)),
    },
  ],
  DenseBincount: [
    ...[false, true].map((isBinary) => ({
      note: isBinary ? "binary" : "counted",
      inputs: (batch: number) => [indices(batch, 5, 6)],
      compute: (x: tf.Tensor) => tf.denseBincount(x as tf.Tensor2D, tf.tensor1d([]) as never, 5, isBinary),
    })),
    {
      note: "weighted",
      inputs: (batch) => [indices(batch, 5, 6), wave([batch, 6])],
      compute: (x, weights) => tf.denseBincount(x as tf.Tensor2D, weights as tf.Tensor2D, 5),
    },
  ],
  UnsortedSegmentSum: [
    {
      inputs: (batch) => [wave([batch, 3, 2]), tf.reshape(indices(batch, 4, 1), [-1])],
      compute: (x, ids) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4),
    },
  ],
  SearchSorted: (["left", "right"] as const).map((side) => ({
    note: side,
    inputs: (batch) => [indices(batch, 7, 4)],
    compute: (x) => tf.searchSorted(tf.cumsum(x, 1), tf.add(x, tf.scalar(3, "int32")), side),
  })),
  Cumprod: cumulative.map(({ note, exclusive, reverse }) => ({
    note,
    inputs: floats(4, 3),
    compute: (x) => tf.cumprod(x, 1, exclusive, reverse),
  })),
  Cumsum: cumulative.map(({ note, exclusive, reverse }) => ({
    note,
    inputs: floats(4, 3),
    compute: (x) => tf.cumsum(x, 1, exclusive, reverse),
  })),
  GatherV2: [
    { inputs: floats(5, 2), compute: (x) => tf.gather(x, tf.tensor1d([3, 0, 3], "int32"), 1) },
    {
      note: "of each example",
      inputs: (batch) => [wave([batch, 5, 2]), indices(batch, 5, 3)],
      compute: (x, at) => tf.gather(x, at, 1, 1),
    },
  ],
  GatherNd: [
    {
      inputs: (batch) => [indices(batch, 3, 4, 2)],
      compute: (at) => tf.gatherND(filter(3, 3, 2), at),
    },
  ],
  ScatterNd: [
    {
      inputs: (batch) => [wave([batch, 4])],
      compute: (x) =>
        tf.scatterND(tf.tensor2d([[4], [1], [4]], [3, 1], "int32"), tf.slice(tf.concat([x, x, x]), 0, 3), [6, 4]),
    },
  ],
  TensorScatterUpdate: [
    {
      inputs: floats(4),
      compute: (x) =>
        tf.tensorScatterUpdate(
          filter(6, 4),
          tf.tensor2d([[4], [1]], [2, 1], "int32"),
          tf.slice(tf.concat([x, x]), 0, 2),
        ),
    },
  ],
  SparseToDense: [
    {
      inputs: floats(4),
      compute: (x) =>
        tf.sparseToDense(tf.tensor1d([4, 0, 2, 5], "int32"), tf.reshape(tf.slice(x, 0, 1), [4]), [7], 0.5),
    },
  ],
  OneHot: [
    { inputs: (batch) => [indices(batch, 5, 3)], compute: (x) => tf.oneHot(x, 4, 2, -1) },
    {
      note: "of floats",
      inputs: (batch) => [indices(batch, 5, 3)],
      compute: (x) => tf.oneHot(x, 4, 0.5, -1, "float32"),
    },
  ],
  TopK: [
    {
      inputs: floats(6),
      compute: (x) => {
        const { values, indices: at } = tf.topk(x, 3);
        return [values, at];
      },
    },
  ],
  CropAndResize: [
    {
      note: "by boxes of the input",
      inputs: (batch) => [wave([batch, 6, 5, 3]), wave([batch, 4], 0.2, 0.5)],
      compute: (x, boxes) =>
        tf.image.cropAndResize(
          x as tf.Tensor4D,
          boxes as tf.Tensor2D,
          tf.cast(tf.sum(tf.mul(boxes, 0), 1), "int32"),
          [3, 4],
        ),
      refused: noOnnx,
    },
  ],
  FlipLeftRight: one((x: tf.Tensor4D) => tf.image.flipLeftRight(x), image),
  ResizeBilinear: one((x: tf.Tensor4D) => tf.image.resizeBilinear(x, [9, 4], true), image),
  ResizeNearestNeighbor: one((x: tf.Tensor4D) => tf.image.resizeNearestNeighbor(x, [9, 4], false, true), image),
  RotateWithOffset: [
    { inputs: image, compute: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, 0.7, 0.25, [0.4, 0.6]) },
    {
      note: "with a colour around",
      inputs: floats(5, 4, 4),
      compute: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, 2, [0.1, 0.2, 0.3]),
    },
  ],
};
