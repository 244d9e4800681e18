import type { GraphEditor } from "../ir/graph-editor.js";
import type { Node } from "../ir/graph.js";

/** The permutation of a `Transpose` that is known: axis `i` of the result is axis `permutation[i]` of the input. */
export function readPermutation(node: Node | undefined, editor: GraphEditor): readonly number[] | undefined {
  if (node?.op !== "Transpose") return undefined;
  const values = editor.findConstant(node.inputs[1])?.values;
  return values === undefined ? undefined : Array.from(values);
}

/** The permutation that undoes another one. */
export function invert(permutation: readonly number[]): readonly number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

/** The list with its items in another order, as the sizes of a transposed value are. */
export function permute<Item>(items: readonly Item[], permutation: readonly number[]): readonly Item[] {
  return permutation.flatMap((axis) => items.slice(axis, axis + 1));
}

/** Whether a permutation leaves every axis where it is. */
export function isIdentity(permutation: readonly number[]): boolean {
  return permutation.every((axis, index) => axis === index);
}
