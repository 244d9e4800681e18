import { CkptError, type Dtype } from "@ckpt/manifest";

import { mapConstants } from "../ir/graph-index.js";
import type { Graph, TensorValues } from "../ir/graph.js";
import { optimize } from "../passes/optimize.js";
import type { GraphTemplate, WeightSpec } from "./graph-template.js";

/** The value of a weight. */
export interface WeightData {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

function describe({ dtype, shape }: Pick<WeightData, "dtype" | "shape">): string {
  return `${dtype} [${shape.join(", ")}]`;
}

function checkWeight(spec: WeightSpec, found: WeightData | undefined): WeightData {
  const expected = describe(spec);
  const fail = (what: string): never => {
    throw new CkptError("WEIGHTS_MISMATCH", { path: "weights", weight: spec.key, expected, found: what });
  };
  if (found === undefined) return fail("nothing");
  const actual = describe(found);
  if (actual !== expected) return fail(actual);
  const size = spec.shape.reduce((product, dimension) => product * dimension, 1);
  if (found.values.length !== size) return fail(`${found.values.length} values`);
  return found;
}

/**
 * Puts weights into a template and optimizes the result for inference. Costs no run of the model. Weights the
 * template does not read are ignored; the values are used as they are, not copied.
 *
 * @param weights - by {@link WeightSpec.key}.
 * @throws {CkptError} WEIGHTS_MISMATCH when a weight is missing or has another dtype or shape.
 */
export function bindWeights(template: GraphTemplate, weights: ReadonlyMap<string, WeightData>): Graph {
  const specs = new Map(template.weights.map((spec) => [spec.key, checkWeight(spec, weights.get(spec.key))]));
  const graph = mapConstants(template.graph, (constant) => {
    const data = constant.weight === undefined ? undefined : specs.get(constant.weight);
    return data === undefined ? constant : { ...constant, values: data.values };
  });
  return optimize(graph);
}
