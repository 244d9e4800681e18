import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Constant, Graph, Node, ValueInfo, ValueRef } from "../ir/graph.js";

/** The value that changes nothing, for each operation that has one, and the sides on which it does so. */
const neutral: Readonly<Record<string, { readonly value: number; readonly sides: readonly (0 | 1)[] }>> = {
  AddV2: { value: 0, sides: [0, 1] },
  BiasAdd: { value: 0, sides: [1] },
  Sub: { value: 0, sides: [1] },
  Mul: { value: 1, sides: [0, 1] },
  RealDiv: { value: 1, sides: [1] },
};

// Weights count as any number here, so that what is computed does not depend on how far training has come.
function isNeutral(constant: Constant | undefined, value: number): boolean {
  return constant !== undefined && constant.weight === undefined && constant.values.every((each) => each === value);
}

function isSame(a: ValueInfo | undefined, b: ValueInfo | undefined): boolean {
  return (
    a !== undefined &&
    a.dtype === b?.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, axis) => size === b.shape[axis])
  );
}

// A dropout with nothing to drop, or any choice that is made already: all over, or of each element.
function isAlwaysTrue(condition: ValueRef | undefined, editor: GraphEditor): boolean {
  const source = condition === undefined ? undefined : editor.find(condition.node);
  const constant = source?.op === "Fill" ? editor.findConstant(source.inputs[1]) : source?.constant;
  return constant?.dtype === "bool" && isNeutral(constant, 1);
}

function findKept(node: Node, editor: GraphEditor): ValueRef | undefined {
  const infoOf = (value: ValueRef | undefined): ValueInfo | undefined =>
    value === undefined ? undefined : editor.find(value.node)?.outputs[value.output];
  if (node.op === "SelectV2") {
    const [condition, kept] = node.inputs;
    return isAlwaysTrue(condition, editor) && isSame(infoOf(kept), node.outputs[0]) ? kept : undefined;
  }
  const rule = neutral[node.op];
  const side = rule?.sides.find((side) => {
    const info = infoOf(node.inputs[1 - side]);
    return isNeutral(editor.findConstant(node.inputs[side]), rule.value) && isSame(info, node.outputs[0]);
  });
  return side === undefined ? undefined : node.inputs[1 - side];
}

/**
 * Removes sums with 0, products with 1 and selections that are made already, whose result has the shape of the other operand: exact, but for the sign of a
 * zero. Constants that are weights of the model are left alone, whatever their values.
 */
export function removeNeutralOperations(graph: Graph): Graph {
  return rewriteGraph(graph, (node: Node, editor) => {
    const kept = findKept(node, editor);
    if (kept === undefined) editor.append(node);
    else editor.replace(outputOf(node), kept);
  });
}
