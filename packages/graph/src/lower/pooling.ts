import { attribute } from "../ir/attribute.js";
import type { Attribute } from "../ir/graph.js";
import { type Lowering, type LoweringCall, type Lowerings, UnsupportedKernel } from "./lowering.js";
import { readFlag } from "./read-attribute.js";
import {
  dropUnreached,
  readSpatial,
  spatialInts,
  type SpatialRank,
  type WindowAttributes,
  windowAttributes,
} from "./window.js";

function poolAttributes(call: LoweringCall, rank: SpatialRank): WindowAttributes & { readonly ksize: Attribute } {
  const window = windowAttributes(call, rank);
  // TensorFlow's AvgPool has no explicit padding, and GraphModel's MaxPool refuses it.
  if (window["explicit_paddings"] !== undefined)
    throw new UnsupportedKernel("its padding is a number, not same or valid");
  return { ksize: spatialInts(readSpatial(call, "filterSize", rank)), ...window };
}

function pool(op: string, rank: SpatialRank): Lowering {
  return (call, build) => {
    const x =
      rank === 3 ? dropUnreached(call, build, call.input("x"), readSpatial(call, "filterSize", 3)) : call.input("x");
    return [build.add(op, [x], call.output(), poolAttributes(call, rank))];
  };
}

/** Pooling over two or three axes; 1-D pooling arrives as 2-D, with a width of 1. */
export const poolingLowerings: Lowerings = {
  MaxPool: pool("MaxPool", 2),
  AvgPool: pool("AvgPool", 2),
  MaxPool3D: pool("MaxPool3D", 3),
  AvgPool3D: pool("AvgPool3D", 3),
  MaxPoolWithArgmax: (call, build) => {
    const { ksize, strides, padding } = poolAttributes(call, 2);
    return build.addMany("MaxPoolWithArgmax", [call.input("x")], call.outputs, {
      ksize,
      strides,
      padding,
      include_batch_in_index: attribute.bool(readFlag(call, "includeBatchInIndex")),
    });
  },
};
