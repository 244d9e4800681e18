import type { Graph } from "../ir/graph.js";
import { dropTiles } from "./drop-tiles.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { foldConstants } from "./fold-constants.js";
import { hoistInvariants } from "./hoist-invariants.js";
import { mergeClips } from "./merge-clips.js";
import { mergeCommon } from "./merge-common.js";
import { mergePads } from "./merge-pads.js";
import { mergeTransposes } from "./merge-transposes.js";
import { removeDeadNodes } from "./remove-dead-nodes.js";
import { removeIdentities } from "./remove-identities.js";
import { removeNeutralOperations } from "./remove-neutral-operations.js";
import { sinkReshapes } from "./sink-reshapes.js";
import { sinkTransposes } from "./sink-transposes.js";

// Neutral operations go before constants are folded: what is computed from weights may be 0 or 1 at one checkpoint and not
// at the next, and both are to have the same operations. Weights come reshaped there and back; with these reshapes gone
// first, they keep their names through the folding. Dead nodes go before the passes that count uses. What stands between a
// product and its batch normalization goes before the folding of the latter. Merging is last, so that what the other
// passes made alike is merged.
const passes: readonly ((graph: Graph) => Graph)[] = [
  removeIdentities,
  removeNeutralOperations,
  foldConstants,
  removeDeadNodes,
  dropTiles,
  removeDeadNodes,
  sinkTransposes,
  mergeTransposes,
  sinkReshapes,
  removeIdentities,
  removeDeadNodes,
  foldBatchNorm,
  mergeClips,
  removeDeadNodes,
  mergePads,
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
