import { bindWeights, type Graph, type GraphTemplate, type WeightData } from "@ckpt/graph";
import { CkptError, dtypes, isCkptError } from "@ckpt/manifest";

import type { SavedWeight } from "./saved-weights.js";

/**
 * Puts the weights of a saved model into a template of the same topology. Saved weights go by TensorFlow.js's names,
 * which are scoped by layer names; the template's keys are layer paths. The template knows both names of each weight.
 *
 * @param saved - By TensorFlow.js's name.
 * @param path - Of the saved model; named in errors.
 * @throws {CkptError} WEIGHTS_MISMATCH when a weight is missing or has another dtype or shape.
 */
export function bindSavedWeights(
  template: GraphTemplate,
  saved: ReadonlyMap<string, SavedWeight>,
  path: string,
): Graph {
  try {
    return bindWeights(template, findSavedWeights(template, saved));
  } catch (cause) {
    if (!isCkptError(cause, "WEIGHTS_MISMATCH")) throw cause;
    throw new CkptError("WEIGHTS_MISMATCH", { ...cause.details, path }, { cause });
  }
}

/** The weights of a template, by its keys, as far as they are among the saved ones. */
export function findSavedWeights(
  template: GraphTemplate,
  saved: ReadonlyMap<string, SavedWeight>,
): ReadonlyMap<string, WeightData> {
  const withoutCell = new Map([...saved.values()].map((weight) => [dropCellName(weight.name), weight]));
  const weights = new Map<string, WeightData>();
  for (const { key, savedName } of template.weights) {
    const weight = saved.get(savedName) ?? saved.get(key) ?? withoutCell.get(savedName);
    const dtype = dtypes.find((dtype) => dtype === weight?.dtype);
    if (weight !== undefined && dtype !== undefined) {
      weights.set(key, { dtype, shape: weight.shape, values: weight.values });
    }
  }
  return weights;
}

// Keras from TensorFlow 2.2 on writes `lstm/lstm_cell/kernel` for what TensorFlow.js calls `lstm/kernel`; its
// `loadWeights` takes both.
function dropCellName(name: string): string {
  const parts = name.split("/");
  return [...parts.slice(0, -2), ...parts.slice(-1)].join("/");
}
