import { isStaticSize } from "../ir/size.js";
import { applyActivation } from "./activation.js";
import { addBias } from "./bias.js";
import type { Lowering, LoweringBuilder, LoweringCall, Lowerings, Value } from "./lowering.js";
import { readAttribute } from "./read-attribute.js";
import { dropUnreached, readSpatial, spatialInts, type SpatialRank, windowAttributes } from "./window.js";

function dilationsOf(call: LoweringCall, rank: SpatialRank): readonly number[] {
  const isDilated = (readAttribute(call, "dilations") ?? undefined) !== undefined;
  return isDilated ? readSpatial(call, "dilations", rank) : Array.from({ length: rank }, () => 1);
}

function convolve(op: string, rank: SpatialRank, call: LoweringCall, build: LoweringBuilder): Value {
  const filter = call.input("filter");
  const dilations = dilationsOf(call, rank);
  const spans = dilations.map((dilation, spatial) => {
    const size = filter.sizes[spatial];
    return size === undefined || !isStaticSize(size) ? 1 : (size.offset - 1) * dilation + 1;
  });
  const x = rank === 3 ? dropUnreached(call, build, spans) : call.input("x");
  return build.add(op, [x, filter], call.output(), {
    ...windowAttributes(call, rank),
    dilations: spatialInts(dilations),
  });
}

function plain(op: string, rank: SpatialRank): Lowering {
  return (call, build) => [convolve(op, rank, call, build)];
}

function fused(op: string): Lowering {
  return (call, build) => {
    const bias = call.optionalInput("bias");
    const product = convolve(op, 2, call, build);
    return [applyActivation(call, build, bias === undefined ? product : addBias(build, product, bias))];
  };
}

function transposed(op: string, rank: SpatialRank): Lowering {
  return (call, build) => [
    build.add(op, [build.sizes(call.output().sizes), call.input("filter"), call.input("dy")], call.output(), {
      ...windowAttributes(call, rank),
      dilations: spatialInts(Array.from({ length: rank }, () => 1)),
    }),
  ];
}

/** Convolutions over two or three axes; 1-D ones arrive as 2-D, with a height of 1. */
export const convLowerings: Lowerings = {
  Conv2D: plain("Conv2D", 2),
  FusedConv2D: fused("Conv2D"),
  DepthwiseConv2dNative: plain("DepthwiseConv2dNative", 2),
  FusedDepthwiseConv2D: fused("DepthwiseConv2dNative"),
  Conv2DBackpropInput: transposed("Conv2DBackpropInput", 2),
  Conv3D: plain("Conv3D", 3),
  Conv3DBackpropInputV2: transposed("Conv3DBackpropInputV2", 3),
  // Grey-scale dilation: the largest sum of window and filter.
  Dilation2D: (call, build) => {
    const { strides, padding } = windowAttributes(call, 2);
    return [
      build.add("Dilation2D", [call.input("x"), call.input("filter")], call.output(), {
        strides,
        padding,
        rates: spatialInts(dilationsOf(call, 2)),
      }),
    ];
  },
};
