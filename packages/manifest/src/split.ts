import type { TensorSpec } from "./signature.js";

/** What a split may be used for. The rows of two roles never overlap. */
export type SplitRole = "train" | "validation" | "select" | "test";

/** A dense tensor outside any framework: row-major values and the shape they have. */
export interface TensorData {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** Some rows of a split. Every tensor's first dimension is `rowCount`. */
export interface Batch {
  readonly rowCount: number;
  /** By input name. */
  readonly inputs: Readonly<Record<string, TensorData>>;
  /** Class indices `[rows]` (int32), or regression targets `[rows, outputs]` (float32). */
  readonly labels: TensorData;
}

/** A named part of a dataset, as the trainer and the evaluator take it, whatever it was read from. */
export interface Split {
  readonly name: string;
  readonly role: SplitRole;
  readonly rowCount: number;
  /** SHA-256 over inputs, labels and their order, after selection and scaling: equal digests are equal tensors. */
  readonly digest: string;
  /** One spec per input; the first dimension is `null`. */
  readonly inputs: readonly TensorSpec[];
  /** Class names by index; absent for regression. */
  readonly classes?: readonly string[];
  /** Texts of further columns by name, one a row, `null` for an empty cell; the digest is without them. */
  readonly columns?: Readonly<Record<string, readonly (string | null)[]>>;
  /** Rows `start` (inclusive) to `end` (exclusive), as views where the split is in memory. */
  read(start: number, end: number): Promise<Batch>;
  /** The rows at `indices`, in that order, copied. */
  gather(indices: ArrayLike<number>): Promise<Batch>;
}
