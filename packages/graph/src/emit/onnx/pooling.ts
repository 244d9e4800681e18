import type { OnnxAttribute } from "./onnx-attribute.js";
import {
  floatAttribute,
  inputAt,
  intAttribute,
  intsAttribute,
  type OnnxEmitter,
  type OnnxEmitters,
  stringAttribute,
} from "./onnx-emitter.js";
import { UnsupportedReason } from "./onnx-writer.js";
import { paddingOf, readWindow, toPaddingAttributes } from "./window.js";

/** Averages leave out padded elements, as in TensorFlow. */
function pooling(op: string, attributes: Readonly<Record<string, OnnxAttribute>>): OnnxEmitter {
  return (writer, node) => {
    const x = inputAt(node, 0);
    if (stringAttribute(node, "padding", "VALID") === "EXPLICIT") {
      throw new UnsupportedReason("explicit padding");
    }
    const window = readWindow(node, intsAttribute(node, "ksize", []).slice(1, -1));
    const output = writer.write(op, [writer.input(x, "channelsFirst")], {
      kernel_shape: { ints: window.kernel },
      strides: { ints: window.strides },
      ...toPaddingAttributes(paddingOf(node, window, writer.info(x).shape.slice(1, -1))),
      ...attributes,
    });
    writer.define(node, 0, output, "channelsFirst");
  };
}

const maxPool = pooling("MaxPool", {});
const averagePool = pooling("AveragePool", { count_include_pad: { int: 0 } });

/** Normalization over neighbouring channels; ONNX divides `alpha` by their number. */
const localResponse: OnnxEmitter = (writer, node) => {
  const size = 2 * intAttribute(node, "depth_radius", 5) + 1;
  const output = writer.write("LRN", [writer.input(inputAt(node, 0), "channelsFirst")], {
    size: { int: size },
    bias: { float: floatAttribute(node, "bias", 1) },
    alpha: { float: floatAttribute(node, "alpha", 1) * size },
    beta: { float: floatAttribute(node, "beta", 0.5) },
  });
  writer.define(node, 0, output, "channelsFirst");
};

/** Emitters of operations over a window of neighbours. */
export const poolingEmitters: OnnxEmitters = {
  MaxPool: maxPool,
  MaxPool3D: maxPool,
  AvgPool: averagePool,
  AvgPool3D: averagePool,
  LRN: localResponse,
};
