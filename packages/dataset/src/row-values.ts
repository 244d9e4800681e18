/** A tensor's values, row-major. */
export type Values = Float32Array | Int32Array;

/** The values that one tensor has in all rows of a split. */
export interface RowValues {
  /** Of rows `start` (inclusive) to `end` (exclusive); views where they are in memory. */
  read(start: number, end: number): Promise<Values>;
  /** Of the rows at `indices`, in that order, copied. */
  gather(indices: ArrayLike<number>): Promise<Values>;
  /** Of all rows in order, piece by piece. A piece is valid until the next is asked for. */
  pieces(): AsyncIterable<Values>;
}

/** Takes rows one after the other. */
export interface RowWriter {
  /** What the next row's values are to be written to, from the place that {@link claim} gives. Another one after it. */
  readonly values: Values;
  /** Makes place for one more row. */
  claim(): number;
  /** All rows that were written. */
  finish(): RowValues;
}

/** Makes values of the type of a tensor. */
export function createValues(dtype: "float32" | "int32", size: number): Values {
  return dtype === "int32" ? new Int32Array(size) : new Float32Array(size);
}
