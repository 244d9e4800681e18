import type { Dtype } from "@ckpt/manifest";

/** Row-major element values; `bool` is one byte, 0 or 1. */
export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** A shape in which `null` stands for a size known only at run time. */
export type SymbolicShape = readonly (number | null)[];

/** One output of a node. */
export interface ValueRef {
  readonly node: string;
  readonly output: number;
}

/** What is known of a value before it is computed. */
export interface ValueInfo {
  readonly dtype: Dtype;
  readonly shape: SymbolicShape;
}

/** An attribute of a node, tagged as in TensorFlow's `AttrValue`. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "type"; readonly value: Dtype }
  | { readonly kind: "shape"; readonly value: SymbolicShape }
  | { readonly kind: "ints"; readonly value: readonly number[] };

/** A tensor known before run time. */
export interface Constant {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
  /** Set where the constant is a weight of the model: its key, `<layer path>/<weight name>`, equal in every run. */
  readonly weight?: string;
}

/**
 * One operation in TensorFlow's vocabulary, unfused. Sizes, axes and the like are inputs or attributes exactly where
 * TensorFlow has them (`Reshape` takes its shape as an int32 input, `Conv2D` its strides as attribute `strides`).
 */
export interface Node {
  /** Unique in the graph; TensorFlow's alphabet `[A-Za-z0-9.][A-Za-z0-9_./-]*`, so legal in every format. */
  readonly name: string;
  /** `Placeholder` and `Const` are nodes too. */
  readonly op: string;
  readonly inputs: readonly ValueRef[];
  /** Type attributes (`T`, `dtype`) are left out: emitters derive them from the values. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly ValueInfo[];
  /** Path of the layer the operation came from, such as `encoder/dense_1`; empty where there is none. */
  readonly layer: string;
  /** The value of a `Const`. */
  readonly constant?: Constant;
  /** The step of a `Scan`. */
  readonly scan?: ScanStep;
}

/**
 * What a `Scan` repeats for each step of time. The node's inputs are sequences `[batch, time, ...]`, all of one length;
 * then the first states; then captures, which are the same in every step. The body's inputs are these in the same order,
 * with the slice `[batch, ...]` of the step in place of each sequence. The body's outputs are the next states, then what
 * the step puts out. The node's outputs are the last states, in their order and shapes, then for each step output the
 * sequence `[batch, time, ...]` of all of them. Steps go from the first to the last; time may be open, and is not 0.
 */
export interface ScanStep {
  readonly sequenceCount: number;
  readonly stateCount: number;
  /** A graph with names of its own: it sees nothing of the graph around it but its inputs. */
  readonly body: Graph;
  /** Set where the body is one of these cells. Says the same as the body once more, for formats that have such a cell. */
  readonly cell?: RecurrentCell;
}

/**
 * A recurrent cell as TensorFlow.js' layers have it. One sequence; states are `h`, and `c` for an LSTM; a step output, if
 * there is one, is `h`. Gates stand side by side on the last axis: LSTM `i, f, c, o`, GRU `z, r, h`.
 */
export interface RecurrentCell {
  readonly kind: "lstm" | "gru" | "simple";
  /** Activations by the names of TensorFlow.js' layers, such as `hardSigmoid`. */
  readonly activation: string;
  /** Of the gates; a simple cell has none. */
  readonly recurrentActivation?: string;
  /** `[input, gates * units]`. */
  readonly kernel: Constant;
  /** `[units, gates * units]`. */
  readonly recurrentKernel: Constant;
  /** `[gates * units]`. */
  readonly bias?: Constant;
}

/** A named output of the whole graph; its name is the user's and may be any text. */
export interface GraphOutput {
  readonly name: string;
  readonly value: ValueRef;
}

/** A named input: a `Placeholder` node and the user's name for it. */
export interface GraphInput {
  readonly name: string;
  readonly node: string;
}

/** A computation: nodes in topological order, with inputs and outputs in the order of the signature. */
export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  readonly nodes: readonly Node[];
}
