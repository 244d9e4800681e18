import * as tf from "@tensorflow/tfjs";

import { floats, image, filter, one, type KernelCases } from "./kernel-case.js";

/** Kernels along axes, and products of matrices. */
export const reductionKernels: KernelCases = {
  All: one((x: tf.Tensor) => tf.all(tf.greater(x, -1.5), 1)),
  Any: one((x: tf.Tensor) => tf.any(tf.greater(x, 1.5), 1)),
  ArgMax: one((x: tf.Tensor) => tf.argMax(x, 1)),
  ArgMin: one((x: tf.Tensor) => tf.argMin(x, 1)),
  Max: one((x: tf.Tensor) => tf.max(x, 1)),
  Mean: one((x: tf.Tensor) => tf.mean(x, 1, true)),
  Min: one((x: tf.Tensor) => tf.min(x, 1)),
  Prod: one((x: tf.Tensor) => tf.prod(x, 1)),
  Sum: one((x: tf.Tensor) => tf.sum(x, 1)),
  Softmax: one((x: tf.Tensor) => tf.softmax(x)),
  LRN: one((x: tf.Tensor4D) => tf.localResponseNormalization(x, 1, 2, 0.3, 0.6), image),
  FusedBatchNorm: one(
    (x: tf.Tensor4D) => tf.batchNorm4d(x, [0.1, 0.2, 0.3], [1, 2, 3], [0.5, 0.4, 0.3], [2, 1, 3], 0.01),
    image,
  ),
  BatchMatMul: [
    { inputs: floats(3, 4), compute: (x) => tf.matMul(x, filter(4, 2)) },
    { note: "transposed", inputs: floats(3, 4), compute: (x) => tf.matMul(x, x, false, true) },
  ],
  _FusedMatMul: one((x: tf.Tensor) => tf.fused.matMul({ a: x, b: filter(5, 3), bias: filter(3), activation: "elu" })),
  Einsum: [{ inputs: floats(3, 4), compute: (x) => tf.einsum("bij,jk->bki", x, filter(4, 2)) }],
};
