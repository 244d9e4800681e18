import * as tf from "@tensorflow/tfjs";

import { floats, image, one, two, type KernelCases } from "./kernel-case.js";

const none = [
  [0, 0],
  [0, 0],
];

/** Kernels that move elements. */
export const shapeKernels: KernelCases = {
  BatchToSpaceND: [
    {
      inputs: floats(4, 6, 2),
      compute: (x) => tf.batchToSpaceND(tf.neg(tf.spaceToBatchND(x, [2, 3], none)), [2, 3], none),
    },
    {
      note: "cropped",
      inputs: floats(4, 6, 2),
      compute: (x) =>
        tf.batchToSpaceND(
          tf.neg(tf.spaceToBatchND(x, [2, 3], none)),
          [2, 3],
          [
            [1, 0],
            [0, 2],
          ],
        ),
    },
  ],
  SpaceToBatchND: [
    {
      inputs: image,
      compute: (x) =>
        tf.spaceToBatchND(
          x,
          [2, 3],
          [
            [1, 1],
            [0, 1],
          ],
        ),
    },
  ],
  DepthToSpace: one((x: tf.Tensor4D) => tf.depthToSpace(x, 2, "NHWC"), floats(3, 2, 8)),
  Concat: two((a, b) => tf.concat([a, b], 1)),
  Diag: [{ inputs: floats(4), compute: (x) => tf.matMul(x, tf.diag(tf.sum(x, 0))) }],
  ExpandDims: one((x: tf.Tensor) => tf.expandDims(x, 1)),
  MirrorPad: (["reflect", "symmetric"] as const).map((mode) => ({
    note: mode,
    inputs: floats(5),
    compute: (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [2, 1],
        ],
        mode,
      ),
  })),
  Pack: two((a, b) => tf.stack([a, b], 1)),
  PadV2: one((x: tf.Tensor) =>
    tf.pad(
      x,
      [
        [0, 0],
        [2, 1],
      ],
      0.5,
    ),
  ),
  Reshape: one((x: tf.Tensor) => tf.reshape(x, [-1, 3, 2]), floats(6)),
  Reverse: one((x: tf.Tensor) => tf.reverse(x, 1)),
  Slice: one((x: tf.Tensor) => tf.slice(x, [0, 1], [-1, 3])),
  SplitV: [
    { note: "equal", inputs: floats(6), compute: (x) => tf.split(x, 3, 1) },
    { note: "unequal", inputs: floats(6), compute: (x) => tf.split(x, [1, 3, 2], 1) },
  ],
  StridedSlice: one((x: tf.Tensor) => tf.stridedSlice(x, [0, 4], [x.shape[0], 0], [1, -2])),
  Tile: one((x: tf.Tensor) => tf.tile(x, [1, 3])),
  Transpose: one((x: tf.Tensor) => tf.transpose(x, [0, 2, 1]), floats(3, 4)),
  Unpack: one((x: tf.Tensor) => tf.unstack(x, 1), floats(3, 4)),
};
