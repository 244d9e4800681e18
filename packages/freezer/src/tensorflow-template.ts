import { bindWeights, captureGraphDef, type Graph, type GraphTemplate, loadGraphDef } from "@ckpt/graph";
import { CkptError, isCkptError } from "@ckpt/manifest";

import type { FreezeTemplate } from "./freeze-template.js";
import type { LoadedGraph } from "./load-graph.js";
import { createLaterRunner } from "./verify/tfjs-runner.js";
import { withoutWeightValues } from "./without-weight-values.js";

/**
 * Captures a graph of TensorFlow. What the formats are compared with is the graph itself in TensorFlow.js, operation by
 * operation as its file has them, with the values of its variables as constants.
 *
 * @throws {CkptError} what `loadGraphDef` and `captureGraphDef` throw.
 */
export async function captureTensorFlowTemplate(loaded: LoadedGraph): Promise<FreezeTemplate<LoadedGraph>> {
  const graph = nameInputs(await captureGraphDef(loaded.plan, loaded.values), loaded.inputNames);
  let model = await loadGraphDef(loaded.plan, loaded.values);
  return {
    graph: withoutWeightValues(graph),
    shared: undefined,
    corrections: new Set(),
    reference: createLaterRunner((...inputs) => model.compute(...inputs)),
    createReference: () => {
      throw new TypeError("a graph of TensorFlow has no further signatures");
    },
    assignWeights: async ({ plan, values }) => {
      const next = await loadGraphDef(plan, values);
      model.dispose();
      model = next;
    },
    dispose: () => {
      model.dispose();
    },
  };
}

/**
 * Puts the variables into a template of the same graph.
 *
 * @throws {CkptError} WEIGHTS_MISMATCH when one has another shape than in the checkpoint the template was captured from.
 */
export function bindVariables(template: GraphTemplate, { source, values }: LoadedGraph): Graph {
  try {
    return bindWeights(template, values);
  } catch (cause) {
    if (!isCkptError(cause, "WEIGHTS_MISMATCH")) throw cause;
    throw new CkptError("WEIGHTS_MISMATCH", { ...cause.details, path: source.path }, { cause });
  }
}

/** Inputs by the names that a signature has for them. */
function nameInputs(template: GraphTemplate, names: ReadonlyMap<string, string>): GraphTemplate {
  const rename = <Input extends { readonly name: string }>(input: Input): Input => ({
    ...input,
    name: names.get(input.name) ?? input.name,
  });
  const { signature, graph } = template;
  return {
    ...template,
    signature: { ...signature, inputs: signature.inputs.map(rename) },
    graph: { ...graph, inputs: graph.inputs.map(rename) },
  };
}
