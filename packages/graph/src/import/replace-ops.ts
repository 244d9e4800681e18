import { create } from "@bufbuild/protobuf";

import { type NodeDef, NodeDefSchema } from "../proto/gen/tensorflow/graph_pb.js";

/** Operations that hand on their first input once there is nothing to train, check or watch. */
const passing: ReadonlySet<string> = new Set([
  "CheckNumerics",
  "CheckNumericsV2",
  "PreventGradient",
  "StopGradient",
  "Print",
  "Snapshot",
  "PlaceholderWithDefault",
]);

/** Operations that go by another name elsewhere. */
const renamed: Readonly<Record<string, string>> = {
  PlaceholderV2: "Placeholder",
  BatchMatMulV3: "BatchMatMulV2",
  BatchMatMul: "BatchMatMulV2",
  Div: "RealDiv",
};

/**
 * Replaces operations that TensorFlow.js does not execute by those that it does: what only checks or watches is an
 * identity, `Softsign(x)` is `x / (1 + |x|)`.
 */
export function replaceOps(nodes: readonly NodeDef[]): readonly NodeDef[] {
  return nodes.flatMap((node) => {
    if (passing.has(node.op))
      return [create(NodeDefSchema, { ...node, op: "Identity", input: node.input.slice(0, 1) })];
    const op = Object.hasOwn(renamed, node.op) ? renamed[node.op] : undefined;
    if (op !== undefined) return [create(NodeDefSchema, { ...node, op })];
    return node.op === "Softsign" ? decomposeSoftsign(node) : [node];
  });
}

function decomposeSoftsign(node: NodeDef): readonly NodeDef[] {
  const [x = ""] = node.input;
  const part = (suffix: string, op: string, input: string[]): NodeDef =>
    create(NodeDefSchema, { name: `${node.name}/${suffix}`, op, input, attr: node.attr });
  const magnitude = part("magnitude", "Abs", [x]);
  const ones = part("ones", "OnesLike", [x]);
  const divisor = part("divisor", "AddV2", [magnitude.name, ones.name]);
  return [magnitude, ones, divisor, create(NodeDefSchema, { ...node, op: "RealDiv", input: [x, divisor.name] })];
}
