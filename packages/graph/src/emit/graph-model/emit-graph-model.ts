import { listNodes } from "../../ir/graph-index.js";
import type { Graph } from "../../ir/graph.js";
import { bindSignature } from "../bind-signature.js";
import { emitGraphDef, type EmitGraphDefOptions } from "../graph-def/emit-graph-def.js";
import { composedOps } from "../graph-def/op-schemas.js";
import { requireNoUnsupported } from "../unsupported-ops.js";
import { convertGraphDefToGraphModel, type GraphModel } from "./convert-graph-def.js";
import { decomposeMaxPool3d } from "./decompose-max-pool-3d.js";
import { fuseGraphDef } from "./fuse-graph-def.js";
import { findGraphModelOpReason, rewrittenForGraphModel } from "./graph-model-ops.js";

/**
 * Writes a graph as a TensorFlow.js GraphModel, with bias and activation fused into the matrix product or convolution
 * before them. One with a recurrence that was not unrolled runs by `executeAsync` alone.
 *
 * @throws {CkptError} UNSUPPORTED_OP when TensorFlow.js cannot execute an operation; all are listed with their layers.
 * @throws {CkptError} GRAPH_INVALID when an attribute is missing, unknown or of the wrong kind.
 */
export function emitGraphModel(graph: Graph, options: EmitGraphDefOptions = {}): GraphModel {
  requireNoUnsupported(
    "GraphModel",
    listNodes(graph).flatMap(({ op, layer, attributes }) => {
      const padding = attributes["padding"];
      const reason =
        composedOps.has(op) || Object.hasOwn(rewrittenForGraphModel, op)
          ? undefined
          : findGraphModelOpReason(op, padding?.kind === "string" ? padding.value : "");
      return reason === undefined ? [] : [{ op, reason, layer }];
    }),
  );
  const signature = bindSignature(graph);
  const graphDef = emitGraphDef(decomposeMaxPool3d(graph), options);
  return convertGraphDefToGraphModel(fuseGraphDef(graphDef, signature), signature);
}
