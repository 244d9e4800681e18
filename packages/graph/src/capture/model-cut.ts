import { CkptError } from "@ckpt/manifest";

import type { GraphTemplate } from "../template/graph-template.js";
import { describeNames } from "./describe-names.js";

/**
 * A piece of a model. Layers of a LayersModel go by their path, such as `encoder/dense_1`, nodes of a GraphModel by their
 * names; `:1` behind either is its second result. Results of a layer that is called more than once are counted over all
 * its calls, in the order in which TensorFlow.js makes them when it runs the model.
 */
export interface ModelCut {
  /** Whose values become the inputs, in this order. Default: the model's own inputs. */
  readonly inputs?: readonly string[];
  /** Whose values become the outputs, in this order; the model's own outputs go by their names too. Default: these. */
  readonly outputs?: readonly string[];
}

/** @throws {CkptError} INVALID_OPTION, always: there is no `found` among `names`. */
export function failUnknown(option: keyof ModelCut, what: string, found: string, names: readonly string[]): never {
  throw new CkptError("INVALID_OPTION", { option, expected: `${what}: ${describeNames(found, names)}`, found });
}

/** @throws {CkptError} INVALID_OPTION when a cut names nothing, or the same thing twice. */
export function checkCut(cut: ModelCut): void {
  for (const option of ["inputs", "outputs"] as const) {
    const names = cut[option];
    const repeated = names?.find((name, index) => names.indexOf(name) !== index);
    if (repeated !== undefined) {
      throw new CkptError("INVALID_OPTION", { option, expected: "each name once", found: `${repeated} twice` });
    }
    if (names?.length === 0)
      throw new CkptError("INVALID_OPTION", { option, expected: "one or more names", found: "none" });
  }
}

/**
 * Takes away the last inputs of a template, which a cut has replaced.
 *
 * @param keptCount - How many of the first inputs stay.
 * @throws {CkptError} INVALID_OPTION when an output still needs one of them.
 */
export function dropInputs(template: GraphTemplate, keptCount: number): GraphTemplate {
  const { signature, graph } = template;
  const dropped = graph.inputs.slice(keptCount);
  const used = new Set([
    ...graph.nodes.flatMap((node) => node.inputs.map((input) => input.node)),
    ...graph.outputs.map((output) => output.value.node),
  ]);
  const needed = dropped.filter(({ node }) => used.has(node));
  if (needed.length > 0) {
    throw new CkptError("INVALID_OPTION", {
      option: "inputs",
      expected: "names that everything up to the outputs is computed from",
      found: `a cut past which the outputs also need ${needed.map(({ name }) => name).join(", ")}`,
    });
  }
  const nodes = new Set(dropped.map(({ node }) => node));
  return {
    ...template,
    probeShapes: template.probeShapes.map((shapes) => shapes.slice(0, keptCount)),
    signature: { ...signature, inputs: signature.inputs.slice(0, keptCount) },
    graph: {
      ...graph,
      inputs: graph.inputs.slice(0, keptCount),
      nodes: graph.nodes.filter((node) => !nodes.has(node.name)),
    },
  };
}
