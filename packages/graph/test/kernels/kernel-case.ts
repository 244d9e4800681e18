import * as tf from "@tensorflow/tfjs";

import { wave } from "../build-graph.js";
import type { Format } from "../run-formats.js";

/** Makes the inputs of a case for `batch` examples. */
export type MakeInputs = (batch: number) => tf.Tensor[];

/** A function on tensors that runs one kernel. */
export interface KernelCase {
  readonly note?: string;
  readonly inputs: MakeInputs;
  readonly compute: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Formats that cannot express it, and a part of why. */
  readonly refused?: Partial<Record<Format, string>>;
}

/** Cases by the name of the kernel. */
export type KernelCases = Readonly<Record<string, readonly KernelCase[]>>;

/** One tensor of floats on both sides of 0, of this shape for each example. */
export function floats(...shape: number[]): MakeInputs {
  return (batch) => [wave([batch, ...shape], 2)];
}

/** Floats between 0 and 1. */
export const positive: MakeInputs = (batch) => [wave([batch, 5], 0.4, 0.5)];
/** Floats above 1. */
export const above: MakeInputs = (batch) => [wave([batch, 5], 0.4, 1.5)];
/** Two tensors, the second one positive. */
export const pair: MakeInputs = (batch) => [wave([batch, 5], 2), wave([batch, 5], 0.7, 1)];
/** Two tensors with some equal elements. */
export const equalPair: MakeInputs = (batch) => [tf.round(wave([batch, 5], 2)), tf.round(wave([batch, 5], 2, 0.4))];
export const image: MakeInputs = floats(6, 5, 3);
export const volume: MakeInputs = floats(4, 5, 6, 2);

/** Whole numbers below `limit`. */
export function indices(batch: number, limit: number, ...shape: number[]): tf.Tensor {
  return tf.cast(tf.abs(tf.mul(wave([batch, ...shape]), limit - 0.01)), "int32");
}

/** A constant of this shape. */
export function filter(...shape: number[]): tf.Tensor {
  return wave(shape, 0.6);
}

export const paddings = ["same", "valid"] as const;
export const noOnnx = { onnx: "no counterpart" } as const;

/** One case of a kernel with one argument. */
export function one(
  compute: (x: never) => tf.Tensor | tf.Tensor[],
  inputs: MakeInputs = floats(5),
): readonly KernelCase[] {
  return [{ inputs, compute: compute as KernelCase["compute"] }];
}

/** One case of a kernel with two arguments. */
export function two(
  compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  inputs: MakeInputs = pair,
): readonly KernelCase[] {
  return [{ inputs, compute }];
}
