import type * as tf from "@tensorflow/tfjs";

import { lowerProgram } from "../lower/lower-program.js";
import type { GraphTemplate } from "../template/graph-template.js";
import { captureProgram } from "./capture-program.js";
import { enterLayerScope } from "./layer-scope.js";
import { listWeights } from "./layer-tree.js";
import { dropInputs, type ModelCut } from "./model-cut.js";
import { createModelFunction } from "./model-function.js";

/**
 * Captures the inference computation of a model, whatever its layers are, or of the piece of it that a cut names. Inputs
 * and outputs are named as in `model.inputNames` and `model.outputNames`, those of a cut as they are written there; what is
 * open in the shape of an input stays open. Runs the model a few times on small inputs; afterwards the model, the engine,
 * the number of tensors and `Math.random` are as before.
 *
 * @throws {CkptError} IMPURE_COMPUTATION when one recording cannot stand for every input: values read, random numbers,
 * an open size used as a number, other operations from run to run.
 * @throws {CkptError} UNSUPPORTED_OP naming every kernel that has no counterpart, with the layers it came from.
 * @throws {CkptError} UNSUPPORTED_SHAPE when an operation is told a size that cannot be computed from those before it, or
 * no size tried for the open dimensions will do.
 * @throws {CkptError} UNSUPPORTED_DTYPE for string and complex tensors.
 * @throws {CkptError} INVALID_OPTION when the cut names what is not there, or its outputs need more than its inputs.
 */
export function captureModel(model: tf.LayersModel, cut: ModelCut = {}): GraphTemplate {
  const { inputs, outputNames, replacedInputs, compute, places } = createModelFunction(model, cut);
  const scope = enterLayerScope(places);
  // CategoryEncoding reads the largest and the smallest index to refuse those out of range.
  const checking = new Set(
    places.filter(({ layer }) => layer.getClassName() === "CategoryEncoding").map(({ path }) => path),
  );
  try {
    const program = captureProgram(compute, {
      inputs: [...inputs, ...replacedInputs],
      outputNames,
      weights: listWeights(places),
      currentLayer: scope.currentLayer,
      isReadAllowed: () => checking.has(scope.currentLayer()),
    });
    return dropInputs(lowerProgram(program), inputs.length);
  } finally {
    scope.restore();
  }
}
