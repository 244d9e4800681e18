import { addSizes, equalSizes, isStaticSize, scaleSize, staticSize } from "../ir/size.js";
import { applyActivation } from "./activation.js";
import { addBias } from "./bias.js";
import {
  type Lowering,
  type LoweringBuilder,
  type LoweringCall,
  type Lowerings,
  UnsupportedKernel,
  type Value,
} from "./lowering.js";
import { readAttribute } from "./read-attribute.js";
import {
  dropUnreached,
  isChannelsFirst,
  readSpatial,
  spatialInts,
  type SpatialRank,
  windowAttributes,
} from "./window.js";

function dilationsOf(call: LoweringCall, rank: SpatialRank): readonly number[] {
  const isDilated = (readAttribute(call, "dilations") ?? undefined) !== undefined;
  return isDilated ? readSpatial(call, "dilations", rank) : Array.from({ length: rank }, () => 1);
}

function permute(build: LoweringBuilder, x: Value, permutation: readonly number[]): Value {
  const sizes = permutation.flatMap((axis) => x.sizes[axis] ?? []);
  return build.add("Transpose", [x, build.ints(permutation)], { dtype: x.dtype, sizes });
}

function convolve(op: string, rank: SpatialRank, call: LoweringCall, build: LoweringBuilder, x: Value): Value {
  const filter = call.input("filter");
  const dilations = dilationsOf(call, rank);
  const spans = dilations.map((dilation, spatial) => {
    const size = filter.sizes[spatial];
    return size === undefined || !isStaticSize(size) ? 1 : (size.offset - 1) * dilation + 1;
  });
  const { dtype, sizes } = call.output();
  const channelsLast = isChannelsFirst(call) ? [0, 2, 3, 1].flatMap((axis) => sizes[axis] ?? []) : sizes;
  return build.add(
    op,
    [dropUnreached(call, build, x, spans), filter],
    { dtype, sizes: channelsLast },
    { ...windowAttributes(call, rank), dilations: spatialInts(dilations) },
  );
}

/** Computes with channels last, which every format has, whatever the order is in the call. */
function withChannelsLast(call: LoweringCall, build: LoweringBuilder, compute: (x: Value) => Value): readonly Value[] {
  const x = call.input("x");
  if (!isChannelsFirst(call)) return [compute(x)];
  return [permute(build, compute(permute(build, x, [0, 2, 3, 1])), [0, 3, 1, 2])];
}

function plain(op: string, rank: SpatialRank): Lowering {
  return (call, build) => withChannelsLast(call, build, (x) => convolve(op, rank, call, build, x));
}

function fused(op: string): Lowering {
  return (call, build) =>
    withChannelsLast(call, build, (x) => {
      const bias = call.optionalInput("bias");
      if (isChannelsFirst(call) && (bias?.sizes.length ?? 0) > 1)
        throw new UnsupportedKernel("its bias is no vector and its data format NCHW");
      const product = convolve(op, 2, call, build, x);
      return applyActivation(call, build, bias === undefined ? product : addBias(build, product, bias));
    });
}

// Several sizes are the transpose of one: ONNX, which is told none, has to be able to tell an open one.
function requireUsualSizes(call: LoweringCall, rank: SpatialRank): void {
  const [filter, dy, output] = [call.input("filter"), call.input("dy"), call.output()];
  const isSame = readAttribute(call, "pad") === "same";
  for (const [index, stride] of readSpatial(call, "strides", rank).entries()) {
    const [source, target, kernel] = [dy.sizes[index + 1], output.sizes[index + 1], filter.sizes[index]?.offset];
    if (source === undefined || target === undefined || kernel === undefined || isStaticSize(target)) continue;
    const usual = addSizes(scaleSize(source, stride), staticSize(isSame ? 0 : Math.max(kernel - stride, 0)));
    if (!equalSizes(target, usual))
      throw new UnsupportedKernel("its result has another size than its input and strides give");
  }
}

function transposed(op: string, rank: SpatialRank): Lowering {
  return (call, build) => {
    requireUsualSizes(call, rank);
    return [
      build.add(op, [build.sizes(call.output().sizes), call.input("filter"), call.input("dy")], call.output(), {
        ...windowAttributes(call, rank),
        dilations: spatialInts(Array.from({ length: rank }, () => 1)),
      }),
    ];
  };
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
