import type { SymbolicShape } from "./graph.js";

/** A size as a function of the batch size B: `scale * B + offset`. Static where `scale` is 0. */
export interface Size {
  readonly scale: number;
  readonly offset: number;
}

/** The size that is the same for every batch. */
export function staticSize(value: number): Size {
  return { scale: 0, offset: value };
}

/** The line through two observations, `first` at batch size `firstBatch` and `second` at `secondBatch`. */
export function fitSize(first: number, second: number, firstBatch: number, secondBatch: number): Size {
  if (first === second) return staticSize(first);
  const scale = (second - first) / (secondBatch - firstBatch);
  return { scale, offset: first - scale * firstBatch };
}

/** Whether a size is the same for every batch. */
export function isStaticSize(size: Size): boolean {
  return size.scale === 0;
}

/** Whether a size is `value` for every batch. */
export function isSizeOf(size: Size, value: number): boolean {
  return isStaticSize(size) && size.offset === value;
}

/** The sum of two sizes. */
export function addSizes(a: Size, b: Size): Size {
  return { scale: a.scale + b.scale, offset: a.offset + b.offset };
}

/** Whether two sizes are equal for every batch. */
export function equalSizes(a: Size, b: Size): boolean {
  return a.scale === b.scale && a.offset === b.offset;
}

/** The shape with `null` for every size that depends on the batch. */
export function toSymbolicShape(sizes: readonly Size[]): SymbolicShape {
  return sizes.map((size) => (isStaticSize(size) ? size.offset : null));
}
