import { captureFunctionLater } from "../capture/capture-function.js";
import type { WeightData } from "../template/bind-weights.js";
import type { GraphTemplate } from "../template/graph-template.js";
import { loadGraphDef } from "./load-graph-def.js";
import type { ImportPlan } from "./plan-import.js";
import { runnable } from "./runnable.js";

/**
 * Captures a planned graph of TensorFlow by running it in TensorFlow.js: loops come out step by step, and what is computed
 * from constants alone is gone. The keys of its weights are the names of the nodes of float32 variables; the values of others
 * are fixed. Its inputs are the placeholders by their names. Leaves no tensor behind. Nothing else may use TensorFlow.js meanwhile.
 *
 * @param values - Of the variables, by name of their node; any that fit the graph will do.
 * @throws {CkptError} what `loadGraphDef` throws; MODEL_UNREADABLE for a graph that does not run; IMPURE_COMPUTATION when
 *   which operations run depends on values, on random numbers, or on an open size, or when they do not end.
 */
export async function captureGraphDef(
  plan: ImportPlan,
  values: ReadonlyMap<string, WeightData>,
): Promise<GraphTemplate> {
  const loaded = await loadGraphDef(plan, values);
  try {
    const outputs = plan.outputs.map(({ name }) => name);
    const { inputs, weights, compute } = loaded;
    return await runnable(plan.path, () => captureFunctionLater(compute, { inputs, outputs }, { weights }));
  } finally {
    loaded.dispose();
  }
}
