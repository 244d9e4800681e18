import type { Dtype, TensorSpec } from "@ckpt/manifest";

import type { TensorValues } from "../ir/graph.js";
import type { Size } from "../ir/size.js";
import type { Operand } from "./trace.js";

/** Dtype and shape of a value, each size a function of the batch size. */
export interface SizedTensor {
  readonly dtype: Dtype;
  readonly sizes: readonly Size[];
}

/** An argument of a call, or an output of the program. */
export interface ProgramArgument extends SizedTensor {
  readonly slot: string;
  readonly operand: Operand;
}

/** One kernel call as it holds for every batch size. */
export interface ProgramCall {
  readonly kernel: string;
  readonly layer: string;
  readonly inputs: readonly ProgramArgument[];
  /** The attributes as they were at each of the two batch sizes. */
  readonly attributes: readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  readonly outputs: readonly SizedTensor[];
  /** What a call of a recurrent region repeats. */
  readonly body?: ProgramBody;
}

/** The body of a recurrent region. */
export interface ProgramBody {
  readonly inputs: readonly SizedTensor[];
  readonly outputs: readonly ProgramArgument[];
  readonly calls: readonly ProgramCall[];
  readonly constants: readonly ProgramConstant[];
}

/** A constant. Where a size depends on the batch, all values are the same and `values` holds that one. */
export interface ProgramConstant extends SizedTensor {
  readonly values: TensorValues;
  readonly layer: string;
}

/** A weight with its value at the time of the capture. */
export interface ProgramWeight {
  readonly key: string;
  readonly savedName: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** A captured computation: kernel calls of TensorFlow.js that stand for every batch size. */
export interface CapturedProgram {
  readonly inputs: readonly TensorSpec[];
  readonly outputNames: readonly string[];
  readonly outputs: readonly ProgramArgument[];
  readonly calls: readonly ProgramCall[];
  readonly constants: readonly ProgramConstant[];
  readonly weights: readonly ProgramWeight[];
  /** The two batch sizes that `attributes` of the calls belong to. */
  readonly batchSizes: readonly [number, number];
}
