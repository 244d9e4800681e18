import type { TracedTensor } from "./trace.js";

/** What each size of a tensor was in each of the traces. */
export function observeSizes(tensors: readonly (TracedTensor | undefined)[]): readonly (readonly number[])[] {
  const rank = tensors[0]?.shape.length ?? 0;
  return Array.from({ length: rank }, (_, axis) => tensors.map((tensor) => tensor?.shape[axis] ?? Number.NaN));
}
