import type * as tf from "@tensorflow/tfjs";

/** Arguments of a kernel by name. */
export type KernelInputs = Readonly<Record<string, tf.Tensor>>;

/** Attributes of a kernel by name. */
export type KernelAttributes = Readonly<Record<string, unknown>>;

/** A kernel of TensorFlow.js 4.22 that gives wrong results, and what gives right ones. */
export interface Correction {
  readonly kernels: readonly string[];
  readonly backends: readonly string[];
  /** What is wrong. */
  readonly reason: string;
  readonly isWrong: (inputs: KernelInputs, attributes: KernelAttributes) => boolean;
  /** Gives the right result by kernels that are right, of which it may be the same one. */
  readonly compute: (inputs: KernelInputs, attributes: KernelAttributes, kernel: string) => tf.Tensor;
}

/** An argument that a kernel always has. */
export function takeInput(inputs: KernelInputs, slot: string): tf.Tensor {
  const tensor = inputs[slot];
  if (tensor === undefined) throw new TypeError(`A kernel lacks its argument ${slot}.`);
  return tensor;
}
