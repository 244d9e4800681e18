import { attribute } from "../ir/attribute.js";
import { addSizes, equalSizes, isStaticSize, scaleSize, staticSize } from "../ir/size.js";
import { applyActivation } from "./activation.js";
import { addBias } from "./bias.js";
import {
  type Attributes,
  type Lowering,
  type LoweringBuilder,
  type LoweringCall,
  type Lowerings,
  UnsupportedKernel,
  type Value,
} from "./lowering.js";
import { readAttribute, readPair, readPairs } from "./read-attribute.js";

/** Attributes `strides`, `padding` and `data_format` of a window operation over `[batch, height, width, channels]`. */
export function windowAttributes(call: LoweringCall): Attributes {
  const format = readAttribute(call, "dataFormat") ?? "NHWC";
  if (format !== "NHWC" && format !== "channelsLast") {
    throw new UnsupportedKernel(`its data format is ${JSON.stringify(format)}, not NHWC`);
  }
  const rounding = readAttribute(call, "dimRoundingMode") ?? "floor";
  if (rounding !== "floor") throw new UnsupportedKernel(`it rounds sizes by ${JSON.stringify(rounding)}, not down`);
  const [height, width] = readPair(call, "strides");
  return {
    strides: attribute.ints([1, height, width, 1]),
    data_format: attribute.string("NHWC"),
    ...paddingAttributes(call),
  };
}

function paddingAttributes(call: LoweringCall): Attributes {
  const pad = readAttribute(call, "pad");
  if (pad === "same") return { padding: attribute.string("SAME") };
  if (pad === "valid" || pad === 0) return { padding: attribute.string("VALID") };
  const pairs =
    typeof pad === "number"
      ? [
          [0, 0],
          [pad, pad],
          [pad, pad],
          [0, 0],
        ]
      : readPairs(call, "pad");
  return { padding: attribute.string("EXPLICIT"), explicit_paddings: attribute.ints(pairs.flat()) };
}

function convolve(op: string, call: LoweringCall, build: LoweringBuilder): Value {
  const isDilated = (readAttribute(call, "dilations") ?? undefined) !== undefined;
  const [height, width] = isDilated ? readPair(call, "dilations") : [1, 1];
  return build.add(op, [call.input("x"), call.input("filter")], call.output(), {
    ...windowAttributes(call),
    dilations: attribute.ints([1, height, width, 1]),
  });
}

function plain(op: string): Lowering {
  return (call, build) => [convolve(op, call, build)];
}

function fused(op: string): Lowering {
  return (call, build) => {
    const bias = call.optionalInput("bias");
    const product = convolve(op, call, build);
    return [applyActivation(call, build, bias === undefined ? product : addBias(build, product, bias))];
  };
}

// Several sizes are the transpose of one: ONNX, which is told none, has to be able to tell an open one.
function requireUsualSizes(call: LoweringCall, dy: Value, filter: Value): void {
  const isSame = readAttribute(call, "pad") === "same";
  for (const [index, stride] of readPair(call, "strides").entries()) {
    const [source, target, kernel] = [dy.sizes[index + 1], call.output().sizes[index + 1], filter.sizes[index]?.offset];
    if (source === undefined || target === undefined || kernel === undefined || isStaticSize(target)) continue;
    const usual = addSizes(scaleSize(source, stride), staticSize(isSame ? 0 : Math.max(kernel - stride, 0)));
    if (!equalSizes(target, usual))
      throw new UnsupportedKernel("its result has another size than its input and strides give");
  }
}

/** Convolutions over height and width; 1-D ones arrive as these too, with a height of 1. */
export const convLowerings: Lowerings = {
  Conv2D: plain("Conv2D"),
  FusedConv2D: fused("Conv2D"),
  DepthwiseConv2dNative: plain("DepthwiseConv2dNative"),
  FusedDepthwiseConv2D: fused("DepthwiseConv2dNative"),
  Conv2DBackpropInput: (call, build) => {
    const [filter, dy, output] = [call.input("filter"), call.input("dy"), call.output()];
    requireUsualSizes(call, dy, filter);
    return [
      build.add("Conv2DBackpropInput", [build.sizes(output.sizes), filter, dy], output, {
        ...windowAttributes(call),
        dilations: attribute.ints([1, 1, 1, 1]),
      }),
    ];
  },
};
