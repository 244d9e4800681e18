import type { Dtype, TensorSpec } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";

import { lowerProgram } from "../lower/lower-program.js";
import type { GraphTemplate } from "../template/graph-template.js";
import { captureProgram } from "./capture-program.js";
import { enterLayerScope } from "./layer-scope.js";
import { listLayers, listWeights } from "./layer-tree.js";

// Two tensors of one layer have that layer's name both.
function makeUnique(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let copy = 1; used.has(unique); copy++) unique = `${name}_${copy}`;
    used.add(unique);
    return unique;
  });
}

/**
 * Captures the inference computation of a model, whatever its layers are. Inputs and outputs are named as in
 * `model.inputNames` and `model.outputNames`; what is open in the shape of an input stays open. Runs the model a few times
 * on small inputs; afterwards the model, the engine, the number of tensors and `Math.random` are as before.
 *
 * @throws {CkptError} IMPURE_COMPUTATION when one recording cannot stand for every input: values read, random numbers,
 * an open size used as a number, other operations from run to run.
 * @throws {CkptError} UNSUPPORTED_OP naming every kernel that has no counterpart, with the layers it came from.
 * @throws {CkptError} UNSUPPORTED_SHAPE when an operation is told a size that cannot be computed from those before it, or
 * no size tried for the open dimensions will do.
 * @throws {CkptError} UNSUPPORTED_DTYPE for string and complex tensors.
 */
export function captureModel(model: tf.LayersModel): GraphTemplate {
  if (model.inputs === undefined || model.inputs.length === 0) {
    throw new TypeError("The model has no inputs yet: build it, or give its first layer an inputShape.");
  }
  // A Sequential puts its layers together at first use; only then it has input and output names.
  if (model instanceof tf.Sequential && !model.built) model.build();
  const names = makeUnique(model.inputNames);
  const inputs = model.inputs.map((input, index): TensorSpec => ({
    name: names[index] ?? input.name,
    dtype: input.dtype as Dtype,
    shape: input.shape,
  }));
  const places = listLayers(model);
  const scope = enterLayerScope(places);
  try {
    const program = captureProgram(
      (...tensors) => {
        const result = model.apply(tensors, { training: false });
        return result as tf.Tensor | tf.Tensor[];
      },
      {
        inputs,
        outputNames: makeUnique(model.outputNames),
        weights: listWeights(places),
        currentLayer: scope.currentLayer,
      },
    );
    return lowerProgram(program);
  } finally {
    scope.restore();
  }
}
