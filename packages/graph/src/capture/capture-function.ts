import { CkptError, serializeCanonicalJson, type Signature, type TensorSpec } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import { lowerProgram } from "../lower/lower-program.js";
import type { GraphTemplate } from "../template/graph-template.js";
import { captureProgram, captureProgramLater, type CaptureProgramOptions } from "./capture-program.js";
import type { CapturedProgram } from "./captured-program.js";
import type { LaterTensorFunction, TensorFunction } from "./record-trace.js";

/** What a function takes, and what it gives: in full, or by name alone. */
export interface FunctionSignature {
  readonly inputs: Signature["inputs"];
  readonly outputs: readonly (TensorSpec | string)[];
}

/** How {@link captureFunction} treats tensors that are not inputs. */
export interface CaptureFunctionOptions {
  /** Tensors the function uses that are to stay replaceable, by weight key; others become fixed constants. */
  readonly weights?: Readonly<Record<string, tf.Tensor>>;
}

/**
 * Captures a function on tensors as {@link captureModel} does a model. It takes one tensor for each input of the
 * signature and returns the outputs, in order. Outputs given by name alone have the dtype and shape that are found.
 *
 * @throws {CkptError} SIGNATURE_MISMATCH when the outputs differ from the signature; else as `captureModel`.
 */
export function captureFunction(
  compute: TensorFunction,
  signature: FunctionSignature,
  { weights = {} }: CaptureFunctionOptions = {},
): GraphTemplate {
  return lowerFunction(captureProgram(compute, describeFunction(signature, weights)), signature);
}

/**
 * As {@link captureFunction}, of a function that waits in between. Nothing else may use TensorFlow.js meanwhile.
 *
 * @throws {CkptError} as {@link captureFunction}.
 */
export async function captureFunctionLater(
  compute: LaterTensorFunction,
  signature: FunctionSignature,
  { weights = {} }: CaptureFunctionOptions = {},
): Promise<GraphTemplate> {
  return lowerFunction(await captureProgramLater(compute, describeFunction(signature, weights)), signature);
}

function describeFunction(
  { inputs, outputs }: FunctionSignature,
  weights: Readonly<Record<string, tf.Tensor>>,
): CaptureProgramOptions {
  return {
    inputs,
    outputNames: outputs.map((output) => (typeof output === "string" ? output : output.name)),
    weights: Object.entries(weights).map(([key, tensor]) => ({ key, savedName: key, tensor })),
    currentLayer: () => "",
  };
}

function lowerFunction(program: CapturedProgram, signature: FunctionSignature): GraphTemplate {
  if (program.outputs.length !== signature.outputs.length) {
    throw new CkptError("SIGNATURE_MISMATCH", {
      where: "the captured function",
      expected: `${signature.outputs.length} output(s)`,
      found: `${program.outputs.length}`,
    });
  }
  const template = lowerProgram(program);
  for (const [index, expected] of signature.outputs.entries()) {
    const found = template.signature.outputs[index];
    if (typeof expected !== "string" && serializeCanonicalJson(expected) !== serializeCanonicalJson(found)) {
      throw new CkptError("SIGNATURE_MISMATCH", {
        where: `output ${expected.name} of the captured function`,
        expected: `${expected.dtype} ${JSON.stringify(expected.shape)}`,
        found: `${found?.dtype} ${JSON.stringify(found?.shape)}`,
      });
    }
  }
  return template;
}
