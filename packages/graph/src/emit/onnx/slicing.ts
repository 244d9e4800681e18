import type { Node } from "../../ir/graph.js";
import { inLayout } from "./layout.js";
import {
  constantInput,
  inputAt,
  int64Input,
  intAttribute,
  type OnnxEmitter,
  type OnnxEmitters,
} from "./onnx-emitter.js";

/** ONNX's way to say "to the end": a bound past every size. */
const pastEnd = 2n ** 63n - 1n;
const beforeStart = -(2n ** 63n);

const slice: OnnxEmitter = (writer, node) => {
  const value = inputAt(node, 0);
  const [begin, size] = [inputAt(node, 1), inputAt(node, 2)].map((value) => writer.constant(value)?.values);
  const axes = writer.int64(writer.info(inputAt(node, 0)).shape.map((_, axis) => axis));
  if (begin !== undefined && size !== undefined) {
    const layout = writer.layout(value);
    const starts = Array.from(begin);
    const ends = starts.map((start, axis) => (size[axis] === -1 ? pastEnd : start + (size[axis] ?? 0)));
    const bounds = [starts, ends].map((each) => writer.int64(inLayout<number | bigint>(layout, each)));
    writer.define(node, 0, writer.write("Slice", [writer.input(value, layout), ...bounds, axes]), layout);
    return;
  }
  const x = writer.input(value);
  const [starts, sizes] = [int64Input(writer, node, 1), int64Input(writer, node, 2)];
  const isToEnd = writer.write("Equal", [sizes, writer.int64([-1])]);
  const ends = writer.write("Where", [isToEnd, writer.int64([pastEnd]), writer.write("Add", [starts, sizes])]);
  writer.define(node, 0, writer.write("Slice", [x, starts, ends, axes]));
};

/** What a strided slice does, in terms of ONNX: cut, drop axes, then put in new ones. */
interface SlicePlan {
  readonly cuts: { axis: number; start: number | bigint; end: number | bigint; step: number }[];
  /** Axes of the cut value to drop. */
  readonly squeezed: number[];
  /** Axes of the result that are new. */
  readonly inserted: number[];
}

/**
 * Resolves the masks of a strided slice of a value of `rank` dimensions.
 * Reference: tf.strided_slice.
 */
function planSlice(
  node: Node,
  rank: number,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[],
): SlicePlan {
  const isSet = (mask: string, index: number): boolean => ((intAttribute(node, mask, 0) >> index) & 1) === 1;
  const plan: SlicePlan = { cuts: [], squeezed: [], inserted: [] };
  const newAxisCount = begin.filter((_, index) => isSet("new_axis_mask", index)).length;
  const hasEllipsis = begin.some((_, index) => isSet("ellipsis_mask", index));
  let axis = 0;
  let resultAxis = 0;
  for (let index = 0; index < begin.length; index++) {
    if (isSet("ellipsis_mask", index)) {
      const skipped = rank - (begin.length - newAxisCount - (hasEllipsis ? 1 : 0));
      axis += skipped;
      resultAxis += skipped;
    } else if (isSet("new_axis_mask", index)) {
      plan.inserted.push(resultAxis);
      resultAxis += 1;
    } else if (isSet("shrink_axis_mask", index)) {
      const start = begin[index] ?? 0;
      plan.cuts.push({ axis, start, end: start === -1 ? pastEnd : start + 1, step: 1 });
      plan.squeezed.push(axis);
      axis += 1;
    } else {
      const step = strides[index] ?? 1;
      const [first, last] = step > 0 ? [0n, pastEnd] : [pastEnd, beforeStart];
      const start = isSet("begin_mask", index) ? first : (begin[index] ?? 0);
      const stop = isSet("end_mask", index) ? last : (end[index] ?? 0);
      plan.cuts.push({ axis, start, end: stop, step });
      axis += 1;
      resultAxis += 1;
    }
  }
  return plan;
}

const stridedSlice: OnnxEmitter = (writer, node) => {
  const x = inputAt(node, 0);
  const plan = planSlice(
    node,
    writer.rank(x),
    constantInput(writer, node, 1, "begin"),
    constantInput(writer, node, 2, "end"),
    constantInput(writer, node, 3, "strides"),
  );
  let output = writer.input(x);
  if (plan.cuts.length > 0) {
    output = writer.write("Slice", [
      output,
      writer.int64(plan.cuts.map(({ start }) => start)),
      writer.int64(plan.cuts.map(({ end }) => end)),
      writer.int64(plan.cuts.map(({ axis }) => axis)),
      writer.int64(plan.cuts.map(({ step }) => step)),
    ]);
  }
  if (plan.squeezed.length > 0) {
    output = writer.write("Squeeze", [output, writer.int64(plan.squeezed)]);
  }
  if (plan.inserted.length > 0) {
    output = writer.write("Unsqueeze", [output, writer.int64(plan.inserted)]);
  }
  writer.define(node, 0, output);
};

/** Emitters of operations that cut. */
export const slicingEmitters: OnnxEmitters = { Slice: slice, StridedSlice: stridedSlice };
