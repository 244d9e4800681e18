import { CkptError, type Dtype, type Signature, type TensorSpec } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import { createModelDescriber } from "./layers-model-json.js";
import type { NamedArray } from "./named-array.js";
import {
  captureOptimizer,
  checkOptimizer,
  isOptimizerLoadable,
  type OptimizedVariable,
  restoreOptimizer,
} from "./optimizer-state.js";
import { disposeAfter, toTensor, viewTensor } from "./tensor-array.js";
import type { RestorableState, TrainingState } from "./training-state.js";

/** A field of a LayersModel that its type declarations hide. */
interface OpenLayersModel {
  readonly collectedTrainableWeights?: readonly LayerWeight[];
}

interface LayerWeight {
  /** Without the suffix that keeps names apart within a process. */
  readonly originalName: string;
  read(): tf.Tensor;
}

/**
 * Makes the state of a LayersModel and of the optimizer that trains it, by default the one it was compiled with.
 *
 * @throws {CkptError} INVALID_OPTION when the model is not built, or the optimizer is not one of TensorFlow.js's own.
 */
export function createLayersModelState(model: tf.LayersModel, optimizer?: tf.Optimizer): TrainingState {
  if (!model.built) {
    throw new CkptError("INVALID_OPTION", {
      option: "model",
      expected: "a model with weights: give its first layer an inputShape, or call it once",
      found: "a model that is not built",
    });
  }
  const signature = readSignature(model);
  const trainedBy = (): tf.Optimizer | undefined => optimizer ?? model.optimizer;
  const initial = trainedBy();
  if (initial !== undefined) isOptimizerLoadable(initial);
  const describe = createModelDescriber(model);

  return {
    snapshot: async () => {
      const current = trainedBy();
      const isCompiledWith = current !== undefined && current === model.optimizer;
      const { fields, hasTrainingConfig } = describe(isCompiledWith);
      // All reading starts before the first await: the arrays are those of one moment.
      const [weights, captured] = await Promise.all([
        Promise.all(model.weights.map((weight: LayerWeight) => viewTensor(weight.originalName, weight.read()))),
        current === undefined ? undefined : captureOptimizer(current, listOptimized(model)),
      ]);
      return {
        signature,
        model: fields,
        weights,
        ...(captured === undefined ? {} : { optimizer: captured }),
        isOptimizerLoadable: hasTrainingConfig && current !== undefined && isOptimizerLoadable(current),
      };
    },
    restore: async (state, path) => {
      const pairs = matchWeights(model.weights, state, path);
      const current = trainedBy();
      if (current !== undefined && state.optimizer !== undefined) {
        checkOptimizer(current, listOptimized(model), state.optimizer, path);
      }
      for (const { weight, stored } of pairs) {
        // Not weight.write(): it would apply the layer's constraint to values that already went through it.
        disposeAfter(toTensor(stored), (tensor) => (weight.read() as tf.Variable).assign(tensor));
      }
      if (current !== undefined && state.optimizer !== undefined) {
        restoreOptimizer(current, listOptimized(model), state.optimizer);
      }
    },
  };
}

/** Inputs and outputs of a LayersModel, by its own names and in its own order. */
function readSignature(model: tf.LayersModel): Signature {
  return {
    inputs: describeTensors(model.inputs, model.inputNames),
    outputs: describeTensors(model.outputs, model.outputNames),
  };
}

function describeTensors(tensors: readonly tf.SymbolicTensor[], names: readonly string[]): readonly TensorSpec[] {
  return tensors.map(({ dtype, shape }, index) => ({
    name: names[index] ?? String(index),
    dtype: dtype as Dtype,
    shape: shape.map((size) => size ?? null),
  }));
}

/** Pairs weights by name, or by position where the model was built again and its layers were numbered anew. */
function matchWeights(
  weights: readonly LayerWeight[],
  { weights: stored }: RestorableState,
  path: string,
): readonly { readonly weight: LayerWeight; readonly stored: NamedArray }[] {
  const byName = new Map(stored.map((array) => [array.name, array]));
  const hasSameNames = weights.every(({ originalName }) => byName.has(originalName));
  if (stored.length !== weights.length) {
    throw new CkptError("WEIGHTS_MISMATCH", {
      path,
      weight: "(all)",
      expected: `${stored.length} weights`,
      found: `${weights.length}`,
    });
  }
  return weights.map((weight, index) => {
    const array = hasSameNames ? byName.get(weight.originalName) : stored[index];
    const { dtype, shape } = weight.read();
    const found = `${dtype} [${shape.join(", ")}]`;
    const expected = array === undefined ? "nothing" : `${array.dtype} [${array.shape.join(", ")}]`;
    if (array === undefined || expected !== found) {
      throw new CkptError("WEIGHTS_MISMATCH", { path, weight: weight.originalName, expected, found });
    }
    return { weight, stored: array };
  });
}

/** The variables in the order the model gives them to its optimizer: as they were trainable when it was compiled. */
function listOptimized(model: tf.LayersModel): readonly OptimizedVariable[] {
  const { collectedTrainableWeights = model.trainableWeights } = model as unknown as OpenLayersModel;
  return collectedTrainableWeights.map((weight) => ({
    name: weight.originalName,
    variable: weight.read() as tf.Variable,
  }));
}
