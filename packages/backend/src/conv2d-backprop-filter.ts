import { CkptError } from "@ckpt/manifest";

import { tf } from "#tfjs";

type KernelCall = Parameters<tf.KernelFunc>[0];
type Shape4D = [number, number, number, number];

/** Types a kernel call, which the registry hands over as maps of anything. */
function readCall({ inputs, attrs, backend }: KernelCall): {
  readonly x: tf.TensorInfo;
  readonly dy: tf.TensorInfo;
  readonly attrs: tf.Conv2DBackpropFilterAttrs;
  readonly backend: tf.KernelBackend;
} {
  const { x, dy } = inputs;
  if (x === undefined || dy === undefined || attrs === undefined || !(backend instanceof tf.KernelBackend)) {
    throw new TypeError("Conv2DBackpropFilter needs x, dy, its attributes and a backend");
  }
  return { x, dy, attrs: attrs as unknown as tf.Conv2DBackpropFilterAttrs, backend };
}

/**
 * The gradient of a 2D convolution by its filter, `dW[i,j,c,o] = sum over b,y,x of X[b, y*s+i-p, x*s+j-p, c] *
 * dY[b,y,x,o]`, is itself a convolution: of the images with channels and batch swapped, by dY as a filter as large as
 * the output, with the stride as its dilation. So XNNPACK's convolution computes it, without an im2col buffer.
 */
function conv2DBackpropFilter(call: KernelCall): tf.TensorInfo {
  const { x, dy, attrs, backend } = readCall(call);
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs;
  if (dataFormat !== "NHWC") {
    throw new CkptError("INVALID_OPTION", {
      option: "dataFormat of a convolution trained on the backend wasm",
      expected: "NHWC (channelsLast)",
      found: dataFormat,
    });
  }
  const forward = tf.backend_util.computeConv2DInfo(x.shape as Shape4D, filterShape, strides, 1, pad, dimRoundingMode);
  const { filterHeight, filterWidth, inChannels, outChannels, strideHeight, strideWidth, padInfo } = forward;
  const { top, bottom, left, right } = padInfo;

  // Below the engine: neither a tape nor a trace of the graph may see these.
  const run = (kernelName: string, inputs: tf.NamedTensorInfoMap, kernelAttrs: tf.NamedAttrMap): tf.TensorInfo => {
    const output = tf.getKernel(kernelName, "wasm").kernelFunc({ inputs, attrs: kernelAttrs, backend });
    if (Array.isArray(output)) {
      throw new TypeError(`kernel ${kernelName} has several outputs`);
    }
    return output;
  };
  const images = run(tf.Transpose, { x }, { perm: [3, 1, 2, 0] });
  const filter = run(tf.Transpose, { x: dy }, { perm: [1, 2, 0, 3] });
  const convolved = run(
    tf.Conv2D,
    { x: images, filter },
    {
      strides: 1,
      dilations: [strideHeight, strideWidth],
      pad: [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      dataFormat: "NHWC",
    },
  );
  // Rows and columns that no window of the forward pass reached give offsets beyond the filter.
  const cropped = run(
    tf.Slice,
    { x: convolved },
    { begin: [0, 0, 0, 0], size: [inChannels, filterHeight, filterWidth, outChannels] },
  );
  const gradient = run(tf.Transpose, { x: cropped }, { perm: [1, 2, 0, 3] });
  // Counts references: a transpose that moves nothing shares its input's data.
  for (const { dataId } of [images, filter, convolved, cropped]) {
    backend.disposeData(dataId);
  }
  return gradient;
}

/**
 * `Conv2DBackpropFilter` for the backend `wasm`, which lacks it. x `[batch, height, width, inChannels]` and dy
 * `[batch, outHeight, outWidth, outChannels]`, float32, give `[filterHeight, filterWidth, inChannels, outChannels]`;
 * any strides and padding, no dilation (tfjs' gradient of a dilated convolution refuses before it gets here).
 *
 * @throws {CkptError} INVALID_OPTION when the data format is NCHW.
 */
export const conv2DBackpropFilterKernel: tf.KernelConfig = {
  kernelName: tf.Conv2DBackpropFilter,
  backendName: "wasm",
  kernelFunc: conv2DBackpropFilter,
};
