import type { Graph } from "../ir/graph.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { foldConstants } from "./fold-constants.js";
import { hoistInvariants } from "./hoist-invariants.js";
import { mergeCommon } from "./merge-common.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";
import { removeIdentities } from "./remove-identities.js";
import { sinkReshapes } from "./sink-reshapes.js";

// Weights come reshaped there and back; with these reshapes gone first, they keep their names through the folding.
// Dead nodes go before the folding of batch normalization, which counts uses; merging is last, so that what the other
// passes made alike is merged.
const passes: readonly ((graph: Graph) => Graph)[] = [
  removeIdentities,
  foldConstants,
  sinkReshapes,
  removeIdentities,
  removeDeadNodes,
  foldBatchNorm,
  mergeCommon,
  removeDeadNodes,
];

/**
 * Optimizes a graph for inference: folds constants and batch normalization, removes what does nothing and what is
 * there twice, and moves out of the body of a `Scan` what is the same in every step. Weights count as constants. The
 * result computes the same up to rounding.
 */
export function optimize(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    node.scan === undefined ? node : { ...node, scan: { ...node.scan, body: optimize(node.scan.body) } },
  );
  return passes.reduce((current, pass) => pass(current), hoistInvariants({ ...graph, nodes }));
}
