import { isSizeOf, type Size, staticSize } from "../ir/size.js";

/** The sizes of an element-wise result, axes aligned at the last one; a size of 1 gives way to the other. */
export function broadcastSizes(a: readonly Size[], b: readonly Size[]): readonly Size[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? staticSize(1);
    const right = b[axis - rank + b.length] ?? staticSize(1);
    return isSizeOf(left, 1) ? right : left;
  });
}
