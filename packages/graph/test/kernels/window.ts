import * as tf from "@tensorflow/tfjs";

import { image, volume, noOnnx, filter, paddings, one, type KernelCases } from "./kernel-case.js";

/** Convolutions and poolings. */
export const windowKernels: KernelCases = {
  Conv2D: paddings.map((pad) => ({
    note: pad,
    inputs: image,
    compute: (x) => tf.conv2d(x as tf.Tensor4D, filter(3, 2, 3, 4) as tf.Tensor4D, 2, pad),
  })),
  FusedConv2D: [
    {
      inputs: image,
      compute: (x) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter(3, 3, 3, 4) as tf.Tensor4D,
          strides: 1,
          pad: 1,
          bias: filter(4),
          activation: "relu6",
        }),
    },
  ],
  DepthwiseConv2dNative: one(
    (x: tf.Tensor4D) => tf.depthwiseConv2d(x, filter(3, 3, 3, 2) as tf.Tensor4D, 1, "same"),
    image,
  ),
  FusedDepthwiseConv2D: one(
    (x: tf.Tensor4D) =>
      tf.fused.depthwiseConv2d({
        x,
        filter: filter(3, 3, 3, 2) as tf.Tensor4D,
        strides: 1,
        pad: "valid",
        bias: filter(6),
        activation: "leakyrelu",
        leakyreluAlpha: 0.1,
      }),
    image,
  ),
  Conv2DBackpropInput: one(
    (x: tf.Tensor4D) => tf.conv2dTranspose(x, filter(3, 3, 4, 3) as tf.Tensor4D, [x.shape[0], 12, 10, 4], 2, "same"),
    image,
  ),
  Conv3D: paddings.flatMap((pad) =>
    [1, 2, 4].map((stride) => ({
      note: `${pad} stride ${stride}`,
      inputs: volume,
      compute: (x: tf.Tensor) => tf.conv3d(x as tf.Tensor5D, filter(2, 3, 2, 2, 3) as tf.Tensor5D, stride, pad),
    })),
  ),
  Conv3DBackpropInputV2: [
    ["same", [1, 1, 1], [4, 5, 6]],
    ["same", [2, 2, 2], [8, 10, 12]],
    ["same", [2, 1, 3], [7, 5, 17]],
    ["same", [3, 1, 4], [12, 5, 24]],
    ["valid", [1, 1, 1], [5, 7, 7]],
    ["valid", [2, 3, 1], [8, 15, 7]],
  ].map(([pad, strides, sizes]) => ({
    note: `${pad as string} ${JSON.stringify(strides)}`,
    inputs: volume,
    compute: (x: tf.Tensor) =>
      tf.conv3dTranspose(
        x as tf.Tensor5D,
        filter(2, 3, 2, 3, 2) as tf.Tensor5D,
        [x.shape[0], ...(sizes as [number, number, number]), 3],
        strides as [number, number, number],
        pad as "same",
      ),
  })),
  Dilation2D: [
    {
      inputs: image,
      compute: (x) => tf.dilation2d(x as tf.Tensor4D, filter(2, 3, 3) as tf.Tensor3D, 1, "same", [2, 1]),
      refused: noOnnx,
    },
  ],
  MaxPool: ([...paddings, 1] as const).map((pad) => ({
    note: String(pad),
    inputs: image,
    compute: (x) => tf.maxPool(tf.sub<tf.Tensor4D>(x, 3), [3, 2], 2, pad),
  })),
  AvgPool: ([...paddings, 1] as const).map((pad) => ({
    note: String(pad),
    inputs: image,
    compute: (x) => tf.avgPool(tf.sub<tf.Tensor4D>(x, 3), [3, 2], 2, pad),
  })),
  MaxPool3D: paddings.map((pad) => ({
    note: pad,
    inputs: volume,
    compute: (x) => tf.maxPool3d(tf.sub<tf.Tensor5D>(x, 3), [2, 3, 2], [1, 2, 3], pad),
  })),
  AvgPool3D: paddings.map((pad) => ({
    note: pad,
    inputs: volume,
    compute: (x) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 2], [1, 2, 3], pad),
  })),
  MaxPoolWithArgmax: [
    {
      inputs: image,
      compute: (x) => {
        const { result, indexes } = tf.maxPoolWithArgmax(x as tf.Tensor4D, [2, 2], 2, "valid");
        return [result!, indexes!];
      },
      refused: noOnnx,
    },
  ],
};
