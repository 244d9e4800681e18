import type { Dtype } from "@ckpt/manifest";

import type { TensorValues } from "../ir/graph.js";

/** Where a value of a trace comes from. Equal in two traces if the computation is the same. */
export type Operand =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "weight"; readonly key: string }
  | { readonly kind: "constant"; readonly index: number }
  | { readonly kind: "call"; readonly index: number; readonly output: number };

/** Dtype and shape of a tensor as it was during the trace. */
export interface TracedTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** An argument of a kernel: its name, or its position for kernels that take a list (`Concat`, `Pack`, `AddN`). */
export interface TracedArgument extends TracedTensor {
  readonly slot: string;
  readonly operand: Operand;
}

/** One outermost kernel call that depends on an input or a weight. */
export interface KernelCall {
  readonly kernel: string;
  /** Path of the layer it was made in, empty outside of any. */
  readonly layer: string;
  readonly inputs: readonly TracedArgument[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly TracedTensor[];
  /** Set where the call stands for a region that repeats a body: {@link scanKernel}. */
  readonly body?: TracedBody;
}

/** A tensor that depends on neither input nor weight, with the layer that first used it. */
export interface TracedConstant extends TracedTensor {
  readonly values: TensorValues;
  readonly layer: string;
}

/** All that one run of a computation did. */
export interface Trace {
  readonly calls: readonly KernelCall[];
  /** In the order of first use. */
  readonly constants: readonly TracedConstant[];
  readonly outputs: readonly TracedArgument[];
}

/** A trace inside a call of another. */
export interface TracedBody extends Trace {
  /** What it takes, in the order of the call's inputs. */
  readonly inputs: readonly TracedTensor[];
}

/**
 * Stands in the place of the kernels of a layer that does the same for each step of time. Inputs: sequences, first states, then what the body uses of the
 * computation around it; body inputs: a slice for each sequence, then the same. Outputs: what the layer gives, a sequence
 * or the last of it, then the last states; body outputs: the output of the step and the next states.
 */
export const scanKernel = "Scan";

/** The attributes of a {@link scanKernel} call. */
export interface ScanAttributes {
  readonly sequenceCount: number;
  readonly stateCount: number;
  readonly returnsSequence: boolean;
  readonly cell: TracedCell | null;
}

/** A cell of TensorFlow.js' own layers, its weights by key. */
export interface TracedCell {
  readonly kind: "lstm" | "gru" | "simple";
  readonly activation: string;
  readonly recurrentActivation: string | null;
  readonly kernel: string;
  readonly recurrentKernel: string;
  readonly bias: string | null;
}
