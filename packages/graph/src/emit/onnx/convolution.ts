import type { Node, ValueRef } from "../../ir/graph.js";
import type { OnnxAttribute } from "./onnx-attribute.js";
import { inputAt, type OnnxEmitter, type OnnxEmitters, stringAttribute } from "./onnx-emitter.js";
import { type OnnxWriter, UnsupportedReason } from "./onnx-writer.js";
import { paddingOf, readWindow, spanOf, toPaddingAttributes, type Window } from "./window.js";

/** The shape of a filter, `[...spatial, in, out]`, which has to be known. */
function filterShape(writer: OnnxWriter, filter: ValueRef): readonly number[] {
  return writer.info(filter).shape.map((size) => {
    if (size === null) {
      throw new UnsupportedReason("filter size known only at run time");
    }
    return size;
  });
}

function windowAttributes(window: Window): Record<string, OnnxAttribute> {
  return {
    kernel_shape: { ints: window.kernel },
    strides: { ints: window.strides },
    dilations: { ints: window.dilations },
  };
}

/** `[...spatial, in, out]` to ONNX's `[out, in, ...spatial]`. */
function filterPermutation(rank: number): number[] {
  return [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, axis) => axis)];
}

const convolution: OnnxEmitter = (writer, node) => {
  const [x, filter] = [inputAt(node, 0), inputAt(node, 1)];
  const shape = filterShape(writer, filter);
  const window = readWindow(node, shape.slice(0, -2));
  const inChannels = writer.info(x).shape.at(-1);
  const group = inChannels === null || inChannels === undefined ? 1 : inChannels / (shape.at(-2) ?? inChannels);
  const weight = writer.transposed(filter, filterPermutation(shape.length));
  const output = writer.write("Conv", [writer.input(x, "channelsFirst"), weight], {
    ...windowAttributes(window),
    ...toPaddingAttributes(paddingOf(node, window, writer.info(x).shape.slice(1, -1))),
    group: { int: group },
  });
  writer.define(node, 0, output, "channelsFirst");
};

const depthwiseConvolution: OnnxEmitter = (writer, node) => {
  const [x, filter] = [inputAt(node, 0), inputAt(node, 1)];
  // TensorFlow's filter is [height, width, in, multiplier], and result channel c * multiplier + m comes from c.
  const [height = 1, width = 1, inChannels = 1, multiplier = 1] = filterShape(writer, filter);
  const window = readWindow(node, [height, width]);
  const weight = writer.transposed(filter, [2, 3, 0, 1], [inChannels * multiplier, 1, height, width]);
  const output = writer.write("Conv", [writer.input(x, "channelsFirst"), weight], {
    ...windowAttributes(window),
    ...toPaddingAttributes(paddingOf(node, window, writer.info(x).shape.slice(1, -1))),
    group: { int: inChannels },
  });
  writer.define(node, 0, output, "channelsFirst");
};

/**
 * The transposed convolution, inputs `input_sizes, filter, dy`: its result has the size that a convolution would need
 * as input to give one of the size of `dy`.
 */
const transposedConvolution: OnnxEmitter = (writer, node) => {
  const [filter, dy] = [inputAt(node, 1), inputAt(node, 2)];
  const shape = filterShape(writer, filter);
  const window = readWindow(node, shape.slice(0, -2));
  const weight = writer.transposed(filter, filterPermutation(shape.length));
  const output = writer.write("ConvTranspose", [writer.input(dy, "channelsFirst"), weight], {
    ...windowAttributes(window),
    ...transposedPadding(node, window, writer.info(dy).shape.slice(1, -1)),
  });
  writer.define(node, 0, output, "channelsFirst");
};

function transposedPadding(
  node: Node,
  window: Window,
  inputSizes: readonly (number | null)[],
): Record<string, OnnxAttribute> {
  const padding = stringAttribute(node, "padding", "VALID");
  // A size known only at run time is the usual one, and any will do to find out what that takes.
  const known = window.kernel.map((_, axis) => {
    const [size, inputSize] = [node.outputs[0]?.shape[axis + 1], inputSizes[axis]];
    if (typeof size === "number" && typeof inputSize === "number") return { size, inputSize };
    if (padding === "EXPLICIT") throw new UnsupportedReason("explicit padding over a size known only at run time");
    const stride = window.strides[axis] ?? 1;
    return { inputSize: 1, size: padding === "SAME" ? stride : Math.max(spanOf(window, axis), stride) };
  });
  const paddings = paddingOf(
    node,
    window,
    known.map(({ size }) => size),
  );
  const outputPadding = known.map(({ size, inputSize }, axis) => {
    const { before = 0, after = 0 } = paddings?.[axis] ?? {};
    return size - ((inputSize - 1) * (window.strides[axis] ?? 1) + spanOf(window, axis) - before - after);
  });
  return { ...toPaddingAttributes(paddings), output_padding: { ints: outputPadding } };
}

/** Emitters of convolutions. */
export const convolutionEmitters: OnnxEmitters = {
  Conv2D: convolution,
  Conv3D: convolution,
  DepthwiseConv2dNative: depthwiseConvolution,
  Conv2DBackpropInput: transposedConvolution,
  Conv3DBackpropInputV2: transposedConvolution,
};
