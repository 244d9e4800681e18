import { attribute } from "../ir/attribute.js";
import { addSizes, equalSizes, isStaticSize, type Size, staticSize } from "../ir/size.js";
import { type Lowering, type LoweringBuilder, type Lowerings, UnsupportedKernel, type Value } from "./lowering.js";
import { readAxes, readAxis, readNumber, readNumbers, readPairs, readSizes, readString } from "./read-attribute.js";

function reshapeFrom(slot: string): Lowering {
  return (call, build) => [build.reshape(call.input(slot), call.output().sizes)];
}

function rankOf(values: readonly Value[]): number {
  return values[0]?.sizes.length ?? 0;
}

function scalarOf(build: LoweringBuilder, like: Value, value: number): Value {
  if (like.dtype === "float32") return build.float(value);
  if (like.dtype === "int32") return build.int(value);
  throw new UnsupportedKernel(`it pads ${like.dtype} values`);
}

const slice: Lowering = (call, build) => {
  const x = call.input("x");
  const output = call.output();
  // What is left out at the end starts at 0; TensorFlow wants it written.
  const given = readSizes(call, "begin");
  const begin = x.sizes.map((_, axis) => given[axis] ?? staticSize(0));
  const reachesEnd = (size: Size, axis: number): boolean => {
    const [start, whole] = [begin[axis], x.sizes[axis]];
    return start !== undefined && whole !== undefined && equalSizes(whole, addSizes(start, size));
  };
  // A size of -1 takes the rest of the axis, whatever the batch is.
  const size = output.sizes.every((part, axis) => isStaticSize(part) || reachesEnd(part, axis))
    ? build.ints(output.sizes.map((part) => (isStaticSize(part) ? part.offset : -1)))
    : build.sizes(output.sizes);
  return [build.add("Slice", [x, build.sizes(begin), size], output)];
};

const stridedSlice: Lowering = (call, build) => {
  const x = call.input("x");
  const strides = readNumbers(call, "strides");
  const [ellipsisMask, newAxisMask] = [readNumber(call, "ellipsisMask"), readNumber(call, "newAxisMask")];
  // An end that is the size of the axis is said by the mask, so that it needs no computing. With an ellipsis or new axes
  // positions are not axes.
  const isAligned = ellipsisMask === 0 && newAxisMask === 0;
  const ends = readSizes(call, "end").map((end, axis) => {
    const whole = x.sizes[axis];
    const isWhole =
      isAligned && !isStaticSize(end) && whole !== undefined && equalSizes(end, whole) && (strides[axis] ?? 1) > 0;
    return isWhole ? { end: staticSize(0), bit: 2 ** axis } : { end, bit: 0 };
  });
  const endMask = ends.reduce((mask, { bit }) => mask | bit, readNumber(call, "endMask"));
  const begin = build.sizes(readSizes(call, "begin"));
  const end = build.sizes(ends.map((item) => item.end));
  return [
    build.add("StridedSlice", [x, begin, end, build.ints(strides)], call.output(), {
      begin_mask: attribute.int(readNumber(call, "beginMask")),
      end_mask: attribute.int(endMask),
      ellipsis_mask: attribute.int(ellipsisMask),
      new_axis_mask: attribute.int(newAxisMask),
      shrink_axis_mask: attribute.int(readNumber(call, "shrinkAxisMask")),
    }),
  ];
};

const split: Lowering = (call, build) => {
  const x = call.input("x");
  const axis = build.int(readAxis(call, "axis", x.sizes.length));
  const position = readAxis(call, "axis", x.sizes.length);
  const parts = call.outputs.flatMap((output) => output.sizes[position] ?? []);
  const [first] = parts;
  return first !== undefined && parts.every((part) => equalSizes(part, first))
    ? build.addMany("Split", [axis, x], call.outputs)
    : build.addMany("SplitV", [x, build.sizes(parts), axis], call.outputs);
};

/** Kernels that move, copy or select elements. */
export const shapeLowerings: Lowerings = {
  Reshape: reshapeFrom("x"),
  ExpandDims: reshapeFrom("input"),
  Concat: (call, build) => [
    build.add("ConcatV2", [...call.inputs, build.int(readAxis(call, "axis", rankOf(call.inputs)))], call.output()),
  ],
  Pack: (call, build) => [
    build.add("Pack", call.inputs, call.output(), {
      axis: attribute.int(readAxis(call, "axis", rankOf(call.inputs) + 1)),
    }),
  ],
  Unpack: (call, build) => {
    const value = call.input("value");
    return build.addMany("Unpack", [value], call.outputs, {
      axis: attribute.int(readAxis(call, "axis", value.sizes.length)),
    });
  },
  SplitV: split,
  Slice: slice,
  StridedSlice: stridedSlice,
  Transpose: (call, build) => [
    build.add("Transpose", [call.input("x"), build.ints(readNumbers(call, "perm"))], call.output()),
  ],
  Tile: (call, build) => [build.add("Tile", [call.input("x"), build.sizes(readSizes(call, "reps"))], call.output())],
  Reverse: (call, build) => {
    const x = call.input("x");
    return [build.add("ReverseV2", [x, build.ints(readAxes(call, "dims", x.sizes.length))], call.output())];
  },
  PadV2: (call, build) => {
    const x = call.input("x");
    const value = scalarOf(build, x, readNumber(call, "constantValue"));
    return [build.add("PadV2", [x, build.intPairs(readPairs(call, "paddings")), value], call.output())];
  },
  MirrorPad: (call, build) => [
    build.add("MirrorPad", [call.input("x"), build.intPairs(readPairs(call, "paddings"))], call.output(), {
      mode: attribute.string(readString(call, "mode").toUpperCase()),
    }),
  ],
};
