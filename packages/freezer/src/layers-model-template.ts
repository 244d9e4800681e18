import { captureModel, correctKernels, createModelFunction, type GraphTemplate, type ModelCut } from "@ckpt/graph";

import { tf } from "#tfjs";

import type { PieceOptions } from "./freeze-options.js";
import type { FreezeTemplate } from "./freeze-template.js";
import type { LoadedModel } from "./load-model.js";
import { readable } from "./readable.js";
import { joinSignatures } from "./saved-model-signatures.js";
import type { ReferenceRunner } from "./verify/runner.js";
import { createFunctionRunner, createLayersModelRunner } from "./verify/tfjs-runner.js";
import { withoutWeightValues } from "./without-weight-values.js";

/**
 * Makes a LayersModel and captures it. What the formats are compared with does not rest on how the freezer reads weights:
 * TensorFlow.js loads them in its own way, the first ones and all others.
 *
 * @throws {CkptError} MODEL_UNREADABLE when TensorFlow.js cannot make the model, and what `captureModel` throws.
 */
export async function captureLayersModelTemplate(
  loaded: LoadedModel,
  { furtherSignatures, ...cut }: PieceOptions,
): Promise<FreezeTemplate<LoadedModel>> {
  const model = await makeModel(loaded);
  try {
    const isWhole = cut.inputs === undefined && cut.outputs === undefined;
    const corrections = new Set<string>();
    const capture = (piece: ModelCut): GraphTemplate =>
      withoutWeightValues(
        correctKernels(
          () => captureModel(model, piece),
          (reason) => corrections.add(reason),
        ),
      );
    const graph = capture(cut);
    const createReference = (piece: ModelCut): ReferenceRunner =>
      createFunctionRunner(createModelFunction(model, piece).compute);
    return {
      graph,
      shared:
        furtherSignatures === undefined ? undefined : capture(joinSignatures(cut, graph.signature, furtherSignatures)),
      corrections,
      reference: isWhole ? createLayersModelRunner(model) : createReference(cut),
      createReference,
      assignWeights: (next) => assignWeights(model, next),
      dispose: () => {
        disposeModel(model);
      },
    };
  } catch (error) {
    disposeModel(model);
    throw error;
  }
}

// On its own, so that nothing that outlives it holds on to the bytes of these weights.
function makeModel(loaded: LoadedModel): Promise<tf.LayersModel> {
  const { topology, weightSpecs } = loaded.json;
  return readable(loaded, () =>
    tf.loadLayersModel(
      tf.io.fromMemory({
        modelTopology: topology,
        weightSpecs: [...weightSpecs],
        weightData: loaded.weightBytes.buffer,
      }),
    ),
  );
}

// A layer that was called more than once, or in a model in the model, outlives the model that is disposed of.
function disposeModel(model: tf.LayersModel): void {
  const weights = model.weights.map((weight) => weight.read());
  model.dispose();
  tf.dispose(weights);
}

async function assignWeights(model: tf.LayersModel, loaded: LoadedModel): Promise<void> {
  const tensors = tf.io.decodeWeights(loaded.weightBytes.buffer, [...loaded.json.weightSpecs]);
  const own = Object.fromEntries(Object.entries(tensors).filter(([name]) => loaded.weights.has(name)));
  try {
    await readable(loaded, () => {
      model.loadWeights(own);
    });
  } finally {
    tf.dispose(tensors);
  }
}
