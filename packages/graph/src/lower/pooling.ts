import { attribute } from "../ir/attribute.js";
import type { Attribute } from "../ir/graph.js";
import { addSizes, type Size, staticSize } from "../ir/size.js";
import {
  type Lowering,
  type LoweringBuilder,
  type LoweringCall,
  type Lowerings,
  UnsupportedKernel,
  type Value,
} from "./lowering.js";
import { readFlag } from "./read-attribute.js";
import {
  dropUnreached,
  readSpatial,
  spatialInts,
  type SpatialRank,
  type WindowAttributes,
  windowAttributes,
} from "./window.js";

type PoolAttributes = WindowAttributes & { readonly ksize: Attribute };

function poolAttributes(call: LoweringCall, rank: SpatialRank): PoolAttributes {
  return { ksize: spatialInts(readSpatial(call, "filterSize", rank)), ...windowAttributes(call, rank) };
}

/** The attributes of a pooling without padding of a number, which neither TensorFlow nor GraphModel has. */
function plainAttributes(call: LoweringCall, rank: SpatialRank): PoolAttributes {
  const attributes = poolAttributes(call, rank);
  if (attributes["explicit_paddings"] !== undefined)
    throw new UnsupportedKernel("its padding is a number, not same or valid");
  return attributes;
}

/** Puts `value` around x as the padding of a number does. */
function pad(build: LoweringBuilder, x: Value, paddings: readonly number[], value: number): Value {
  const pairs = x.sizes.map((_, axis) => [paddings[2 * axis] ?? 0, paddings[2 * axis + 1] ?? 0] as const);
  const sizes = x.sizes.map((size, axis): Size =>
    addSizes(size, staticSize((pairs[axis]?.[0] ?? 0) + (pairs[axis]?.[1] ?? 0))),
  );
  return build.add("PadV2", [x, build.intPairs(pairs), build.float(value)], { dtype: x.dtype, sizes });
}

// Beyond the border lies nothing that could be the largest.
function padForMax(call: LoweringCall, build: LoweringBuilder, paddings: readonly number[]): Value {
  const lowest = -3.4028234663852886e38;
  return build.add("MaxPool", [pad(build, call.input("x"), paddings, lowest)], call.output(), withoutPadding(call));
}

/** The sizes of one channel of one example. */
function alone(sizes: readonly Size[]): readonly Size[] {
  return sizes.map((size, axis) => (axis === 0 || axis === 3 ? staticSize(1) : size));
}

// Elements beyond the border do not count: the mean with zeros there, by the mean of ones with zeros there.
function padForAverage(call: LoweringCall, build: LoweringBuilder, paddings: readonly number[]): Value {
  const [x, output] = [call.input("x"), call.output()];
  const attributes = withoutPadding(call);
  const begin = build.ints([0, 0, 0, 0]);
  const one = build.add("Slice", [x, begin, build.ints([1, -1, -1, 1])], { dtype: x.dtype, sizes: alone(x.sizes) });
  const counted = pad(build, build.add("OnesLike", [one], one), paddings, 0);
  const shares = build.add("AvgPool", [counted], { dtype: x.dtype, sizes: alone(output.sizes) }, attributes);
  const means = build.add("AvgPool", [pad(build, x, paddings, 0)], output, attributes);
  return build.add("RealDiv", [means, shares], output);
}

function withoutPadding(call: LoweringCall): PoolAttributes {
  const { ksize, strides, data_format: format } = poolAttributes(call, 2);
  return {
    ksize,
    strides,
    padding: attribute.string("VALID"),
    ...(format === undefined ? {} : { data_format: format }),
  };
}

function pool2d(op: string, padded: typeof padForMax): Lowering {
  return (call, build) => {
    const attributes = poolAttributes(call, 2);
    const paddings = attributes["explicit_paddings"];
    if (paddings?.kind !== "ints") return [build.add(op, [call.input("x")], call.output(), attributes)];
    if (call.output().dtype !== "float32")
      throw new UnsupportedKernel("its padding is a number and its images no floats");
    return [padded(call, build, paddings.value)];
  };
}

function pool3d(op: string): Lowering {
  return (call, build) => {
    const x = dropUnreached(call, build, call.input("x"), readSpatial(call, "filterSize", 3));
    return [build.add(op, [x], call.output(), plainAttributes(call, 3))];
  };
}

/** Pooling over two or three axes; 1-D pooling arrives as 2-D, with a width of 1. */
export const poolingLowerings: Lowerings = {
  MaxPool: pool2d("MaxPool", padForMax),
  AvgPool: pool2d("AvgPool", padForAverage),
  MaxPool3D: pool3d("MaxPool3D"),
  AvgPool3D: pool3d("AvgPool3D"),
  MaxPoolWithArgmax: (call, build) => {
    const { ksize, strides, padding } = plainAttributes(call, 2);
    return build.addMany("MaxPoolWithArgmax", [call.input("x")], call.outputs, {
      ksize,
      strides,
      padding,
      include_batch_in_index: attribute.bool(readFlag(call, "includeBatchInIndex")),
    });
  },
};
