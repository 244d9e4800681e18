import { attribute } from "../ir/attribute.js";
import type { Attribute } from "../ir/graph.js";
import { isStaticSize, type Size, staticSize } from "../ir/size.js";
import { countUnreached } from "../ir/window-axis.js";
import { type Attributes, type LoweringBuilder, type LoweringCall, UnsupportedKernel, type Value } from "./lowering.js";
import { readAttribute, readPairs } from "./read-attribute.js";

/** How many axes a window slides over: height and width, or depth too. */
export type SpatialRank = 2 | 3;

/** One number for each spatial axis, given as such or as one number for all. */
export function readSpatial(call: LoweringCall, name: string, rank: SpatialRank): readonly number[] {
  const value = readAttribute(call, name);
  if (typeof value === "number") return Array.from({ length: rank }, () => value);
  if (Array.isArray(value) && value.length === rank && value.every((item) => typeof item === "number")) return value;
  throw new UnsupportedKernel(`its attribute ${name} is not a number or a list of ${rank}`);
}

/** One number for each spatial axis as TensorFlow has it: for the batch and the channels too, where it is 1. */
export function spatialInts(values: readonly number[]): Attribute {
  return attribute.ints([1, ...values, 1]);
}

/** Whether the images of a 2-D window are `[batch, channels, height, width]`. */
export function isChannelsFirst(call: LoweringCall): boolean {
  return readAttribute(call, "dataFormat") === "NCHW";
}

/** The attributes of a window operation; `explicit_paddings` is there where `padding` is EXPLICIT. */
export type WindowAttributes = Attributes & { readonly strides: Attribute; readonly padding: Attribute };

/** Attributes `strides`, `padding` and `data_format` of a window over `[batch, (depth,) height, width, channels]`. */
export function windowAttributes(call: LoweringCall, rank: SpatialRank): WindowAttributes {
  const channelsLast = rank === 2 ? "NHWC" : "NDHWC";
  const format = readAttribute(call, "dataFormat") ?? channelsLast;
  // NCHW is for the caller to turn.
  if (format !== channelsLast && format !== "channelsLast" && !(rank === 2 && format === "NCHW")) {
    throw new UnsupportedKernel(`its data format is ${JSON.stringify(format)}, not ${channelsLast}`);
  }
  const rounding = readAttribute(call, "dimRoundingMode") ?? "floor";
  if (rounding !== "floor") throw new UnsupportedKernel(`it rounds sizes by ${JSON.stringify(rounding)}, not down`);
  return {
    strides: spatialInts(readSpatial(call, "strides", rank)),
    data_format: attribute.string(channelsLast),
    ...paddingAttributes(call, rank),
  };
}

function paddingAttributes(call: LoweringCall, rank: SpatialRank): Attributes & { readonly padding: Attribute } {
  const pad = readAttribute(call, "pad");
  if (pad === "same") return { padding: attribute.string("SAME") };
  if (pad === "valid" || pad === 0) return { padding: attribute.string("VALID") };
  const pairs =
    typeof pad === "number"
      ? [[0, 0], ...Array.from({ length: rank }, () => [pad, pad]), [0, 0]]
      : readPairs(call, "pad");
  if (isChannelsFirst(call) && typeof pad !== "number") {
    const [batch = [], channels = [], height = [], width = []] = pairs;
    return explicit([batch, height, width, channels]);
  }
  return explicit(pairs);
}

function explicit(pairs: readonly (readonly number[])[]): Attributes & { readonly padding: Attribute } {
  return { padding: attribute.string("EXPLICIT"), explicit_paddings: attribute.ints(pairs.flat()) };
}

/**
 * The argument of a window, `[batch, (depth,) height, width, channels]`, without the elements at the end that none of
 * its steps reaches. With padding `same`, TensorFlow.js 4.22 shifts all windows by half of those, in 3-D on every backend
 * of its own and in convolutions on wasm; TensorFlow does not. Where all are reached there is nothing to shift.
 *
 * @param spans - how many elements the window covers on each spatial axis.
 */
export function dropUnreached(call: LoweringCall, build: LoweringBuilder, x: Value, spans: readonly number[]): Value {
  const rank = spans.length === 2 ? 2 : 3;
  // A window of one pixel is not shifted in 2-D.
  if (readAttribute(call, "pad") !== "same" || (rank === 2 && spans.every((span) => span === 1))) return x;
  const strides = readSpatial(call, "strides", rank);
  const unreached = spans.map((span, spatial) => {
    const size = x.sizes[spatial + 1];
    const stride = strides[spatial] ?? 1;
    return size === undefined || !isStaticSize(size) ? 0 : countUnreached(size.offset, span, stride);
  });
  if (unreached.every((count) => count === 0)) return x;
  const size = x.sizes.map((whole, axis) => {
    const count = unreached[axis - 1] ?? 0;
    return count === 0 || !isStaticSize(whole) ? { whole, kept: -1 } : cut(whole.offset - count);
  });
  const begin = build.ints(x.sizes.map(() => 0));
  return build.add("Slice", [x, begin, build.ints(size.map(({ kept }) => kept))], {
    dtype: x.dtype,
    sizes: size.map(({ whole }) => whole),
  });
}

function cut(kept: number): { readonly whole: Size; readonly kept: number } {
  return { whole: staticSize(kept), kept };
}
