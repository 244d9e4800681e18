import type { Dtype, TensorSpec } from "@ckpt/manifest";

import type { SymbolicShape, TensorValues } from "../ir/graph.js";
import type { Size } from "../ir/size.js";
import type { SizeSymbol } from "./size-fitter.js";
import type { Operand } from "./trace.js";

/** Dtype and shape of a value, each size a function of the symbols of its program. */
export interface SizedTensor {
  readonly dtype: Dtype;
  readonly sizes: readonly Size[];
}

/** An argument of a call, or an output of the program. */
export interface ProgramArgument extends SizedTensor {
  readonly slot: string;
  readonly operand: Operand;
}

/** One kernel call as it holds for every size of the inputs. */
export interface ProgramCall {
  readonly kernel: string;
  readonly layer: string;
  readonly inputs: readonly ProgramArgument[];
  /** The attributes as they were in each trace that has sizes of its own. */
  readonly attributes: readonly Readonly<Record<string, unknown>>[];
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

/**
 * A constant. Where a size is not static, `values` is what goes on: one value with `step` more each time, or a row that is
 * there once for each index of the first axis.
 */
export interface ProgramConstant extends SizedTensor {
  readonly values: TensorValues;
  /** What each further value is more than the one before where a size is not static; 0 where all are the same. */
  readonly step: number;
  /** Where a size is not static: `values` is a row of the first axis, and all rows are the same. */
  readonly isRow: boolean;
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

/** A captured computation: kernel calls of TensorFlow.js that stand for every size of the inputs. */
export interface CapturedProgram {
  readonly inputs: readonly TensorSpec[];
  readonly outputNames: readonly string[];
  readonly outputs: readonly ProgramArgument[];
  readonly calls: readonly ProgramCall[];
  readonly constants: readonly ProgramConstant[];
  readonly weights: readonly ProgramWeight[];
  /** Sizes of the inputs, in their order. */
  readonly inputSizes: readonly (readonly Size[])[];
  /** What the numbers in sizes stand for: first the open sizes of the inputs, then sizes of results. */
  readonly symbols: readonly SizeSymbol[];
  /** Shapes of the inputs that were not traced, to try the result on; `null` for the batch. */
  readonly probeShapes: readonly (readonly SymbolicShape[])[];
}
