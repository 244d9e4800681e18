/**
 * The order of axes in which a value is held: as in the graph, with channels last, or as ONNX's convolutions and
 * poolings take it, with channels behind the batch.
 */
export type Layout = "channelsLast" | "channelsFirst";

/** The permutation that puts the last axis behind the first: `[0, 3, 1, 2]` for rank 4. */
export function toChannelsFirst(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis === 0 ? 0 : axis === 1 ? rank - 1 : axis - 1));
}

/** The permutation that undoes `toChannelsFirst`: `[0, 2, 3, 1]` for rank 4. */
export function toChannelsLast(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis === 0 ? 0 : axis === rank - 1 ? 1 : axis + 1));
}

/** The axes of a value of `rank` dimensions, counted with channels last, in the order in which `layout` holds them. */
export function axesIn(layout: Layout, rank: number): readonly number[] {
  return layout === "channelsFirst" ? toChannelsFirst(rank) : Array.from({ length: rank }, (_, axis) => axis);
}

/** Where an axis counted with channels last is in `layout`. A negative axis counts from the end. */
export function axisIn(layout: Layout, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  return layout === "channelsLast" ? positive : toChannelsFirst(rank).indexOf(positive);
}

/** Per-axis values given with channels last, in the order of `layout`. */
export function inLayout<T>(layout: Layout, values: readonly T[]): readonly T[] {
  return layout === "channelsLast"
    ? values
    : toChannelsFirst(values.length).flatMap((axis) => values.slice(axis, axis + 1));
}
