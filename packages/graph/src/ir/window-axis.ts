/** One axis of a transposed convolution. */
export interface TransposedAxis {
  /** Size of the argument. */
  readonly size: number;
  /** Zeros to put before and after the argument, once `stride - 1` of them follow each of its elements. */
  readonly before: number;
  /** Negative where zeros at the end are too many. */
  readonly after: number;
}

/**
 * How one axis of a transposed convolution becomes that of a plain one with stride 1 and a reversed filter: its result
 * has `resultSize` elements, as many as the convolution it transposes takes.
 * Reference: tf.nn, "Notes on padding".
 */
export function transposeAxis(
  resultSize: number,
  kernel: number,
  stride: number,
  padding: "SAME" | "VALID",
): TransposedAxis {
  const size = padding === "SAME" ? Math.ceil(resultSize / stride) : Math.ceil((resultSize - kernel + 1) / stride);
  const padded = padding === "SAME" ? Math.max((size - 1) * stride + kernel - resultSize, 0) : 0;
  const before = kernel - 1 - Math.floor(padded / 2);
  return { size, before, after: resultSize + kernel - 1 - before - size * stride };
}

/** How many elements at the end of an axis no window with padding `SAME` covers: those between the last steps. */
export function countUnreached(size: number, span: number, stride: number): number {
  return Math.max(size - (Math.ceil(size / stride) - 1) * stride - span, 0);
}
