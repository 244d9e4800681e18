import type { Graph } from "../../ir/graph.js";
import { bindSignature } from "../bind-signature.js";
import { emitGraphDef } from "../graph-def/emit-graph-def.js";
import { requireNoUnsupported } from "../unsupported-ops.js";
import { convertGraphDefToGraphModel, type GraphModel, type GraphModelOptions } from "./convert-graph-def.js";
import { fuseGraphDef } from "./fuse-graph-def.js";
import { findGraphModelOpReason } from "./graph-model-ops.js";

/**
 * Writes a graph as a TensorFlow.js GraphModel, with bias and activation fused into the matrix product or convolution
 * before them.
 *
 * @throws {CkptError} UNSUPPORTED_OP when TensorFlow.js cannot execute an operation; all are listed with their layers.
 * @throws {CkptError} GRAPH_INVALID when an attribute is missing, unknown or of the wrong kind.
 * @throws {CkptError} INVALID_OPTION when a rule of `options.quantize` matches no weight.
 */
export function emitGraphModel(graph: Graph, options: GraphModelOptions = {}): GraphModel {
  requireNoUnsupported(
    "GraphModel",
    graph.nodes.flatMap(({ op, layer, attributes }) => {
      const padding = attributes["padding"];
      const reason =
        // Written as other operations.
        op === "Prelu" ? undefined : findGraphModelOpReason(op, padding?.kind === "string" ? padding.value : "");
      return reason === undefined ? [] : [{ op, reason, layer }];
    }),
  );
  const signature = bindSignature(graph);
  return convertGraphDefToGraphModel(fuseGraphDef(emitGraphDef(graph), signature), signature, options);
}
