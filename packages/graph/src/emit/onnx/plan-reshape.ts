import type { SymbolicShape } from "../../ir/graph.js";
import { axesIn, type Layout } from "./layout.js";

/**
 * The sizes, in ONNX's order, of the reshape that turns a value held in one layout into one held in another: `undefined`
 * where elements would have to move. They need not where only axes of size 1 come, go or change their place. One size may
 * be open and is -1 then; of more it is not known whether they stay what they are.
 */
export function planReshape(
  from: SymbolicShape,
  fromLayout: Layout,
  to: SymbolicShape,
  toLayout: Layout,
): readonly number[] | undefined {
  const [before, after] = [from, to].map((shape) => shape.filter((size) => size !== 1));
  if (before === undefined || after === undefined || before.filter((size) => size === null).length > 1)
    return undefined;
  if (before.includes(0) || before.length !== after.length || before.some((size, index) => size !== after[index])) {
    return undefined;
  }
  const [held, wanted] = [orderOf(from, fromLayout), orderOf(to, toLayout)];
  if (held.some((position, index) => position !== wanted[index])) return undefined;
  return axesIn(toLayout, to.length).map((axis) => to[axis] ?? -1);
}

/** The axes of a size other than 1 in the order they are held, each as its number among these. */
function orderOf(shape: SymbolicShape, layout: Layout): readonly number[] {
  const numbers = shape.map((_, axis) => shape.slice(0, axis).filter((size) => size !== 1).length);
  return axesIn(layout, shape.length).flatMap((axis) => (shape[axis] === 1 ? [] : (numbers[axis] ?? [])));
}
