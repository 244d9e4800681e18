import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import { listNodes } from "../../ir/graph-index.js";
import type { Graph, Node } from "../../ir/graph.js";
import { countSteps, unrollScans } from "../../passes/unroll-scans.js";
import { type GraphDef, GraphDefSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { decomposePrelu } from "../decompose-prelu.js";
import { separateOutputs } from "../separate-outputs.js";
import { requireNoUnsupported } from "../unsupported-ops.js";
import { emitLoop } from "./emit-loop.js";
import { emitNodeAttributes } from "./node-attributes.js";
import { createLibrary, NodeScope } from "./node-scope.js";
import { composedOps, opSchemas } from "./op-schemas.js";

/**
 * The last GraphDef version with a meaning of its own; later ones count days.
 * Reference: the version history in tensorflow/core/public/version.h.
 */
export const producerVersion = 30;

/** How a graph is written for TensorFlow and TensorFlow.js. */
export interface EmitGraphDefOptions {
  /**
   * Recurrences of no more steps stand in the graph step by step, which TensorFlow.js runs faster and without waiting;
   * longer ones, and those whose length is known only at run time, become a `StatelessWhile`. Default: 200.
   */
  readonly maxUnrolledSteps?: number;
}

/**
 * Writes a graph as a frozen TensorFlow GraphDef. Every output of the signature has a node of its own in it; find its
 * name with `bindSignature`.
 *
 * @throws {CkptError} UNSUPPORTED_OP when an operation has no GraphDef form; all of them are listed.
 * @throws {CkptError} GRAPH_INVALID when an attribute is missing, unknown or of the wrong kind.
 */
export function emitGraphDef(graph: Graph, { maxUnrolledSteps = 200 }: EmitGraphDefOptions = {}): GraphDef {
  const lowered = decomposePrelu(unrollScans(separateOutputs(graph), maxUnrolledSteps));
  requireNoUnsupported(
    "GraphDef",
    listNodes(lowered)
      .filter(
        ({ op }) => op !== "Const" && op !== "Placeholder" && !Object.hasOwn(opSchemas, op) && !composedOps.has(op),
      )
      .map(({ op, layer }) => ({ op, layer, reason: "no such operation in TensorFlow's GraphDef" })),
  );
  const library = createLibrary(lowered);
  const scope = new NodeScope(library);
  emitNodes(lowered, scope);
  const { issues, functions } = library;
  if (issues.length > 0) {
    throw new CkptError("GRAPH_INVALID", { issues });
  }
  return create(GraphDefSchema, {
    node: scope.defs,
    versions: { producer: producerVersion },
    ...(functions.length === 0 ? {} : { library: { function: functions } }),
  });
}

function emitNodes(graph: Graph, scope: NodeScope): void {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  for (const node of graph.nodes) {
    if (scope.isDefined({ node: node.name, output: 0 })) continue;
    if (node.scan === undefined) emitNode(node, nodes, scope);
    else {
      const stepCount = countSteps(node, (name) => nodes.get(name));
      emitLoop(node, node.scan, { nodes, scope, stepCount, emitBody: emitNodes });
    }
  }
}

function emitNode(node: Node, nodes: ReadonlyMap<string, Node>, scope: NodeScope): void {
  scope.add(node, {
    op: node.op,
    input: node.inputs.map((input) => scope.resolve(input)),
    attr: emitNodeAttributes(node, { nodes, issues: scope.library.issues }),
  });
}
