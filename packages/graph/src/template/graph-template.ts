import type { Dtype, Signature } from "@ckpt/manifest";

import type { Graph, SymbolicShape } from "../ir/graph.js";

/** A weight that a template reads. */
export interface WeightSpec {
  /** `<layer path>/<weight name>`: unique, and the same however often the model is built or loaded. */
  readonly key: string;
  /** The name in the weights manifest of a saved `model.json`; two weights may share one. */
  readonly savedName: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * A captured computation before its weights are fixed: everything computed from weights alone is still in the graph,
 * and nothing has been merged because values happened to be equal. The weights' `Const` nodes hold the values at the
 * time of the capture.
 */
export interface GraphTemplate {
  readonly signature: Signature;
  readonly graph: Graph;
  /** The weights that the graph reads, in the order of the layers. */
  readonly weights: readonly WeightSpec[];
  /**
   * Shapes of all inputs, several times, to compare the graph with the model on: sizes that the model takes and that were
   * not traced. `null` for the batch, which may have any size.
   */
  readonly probeShapes: readonly (readonly SymbolicShape[])[];
}
