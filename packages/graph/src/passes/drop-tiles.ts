import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { countUses, outputOf } from "../ir/graph-index.js";
import type { Graph, Node, SymbolicShape, ValueRef } from "../ir/graph.js";
import { broadcastingOps, unaryOps } from "./elementwise-ops.js";

/** What is repeated, if a value is a `Tile` along axes of size 1 only, which broadcasting repeats as well. */
function findTiled(value: ValueRef, editor: GraphEditor): ValueRef | undefined {
  const tile = editor.find(value.node);
  const [source, repeats] = tile?.inputs ?? [];
  if (tile?.op !== "Tile" || source === undefined) return undefined;
  const known = editor.findConstant(repeats)?.values;
  const isAlongOnes = shapeOf(source, editor).every((size, axis) => {
    const isKept = size !== null && size === tile.outputs[0]?.shape[axis];
    return size === 1 || isKept || known?.[axis] === 1;
  });
  return isAlongOnes ? source : undefined;
}

function shapeOf(value: ValueRef, editor: GraphEditor): SymbolicShape {
  return editor.find(value.node)?.outputs[value.output]?.shape ?? [];
}

/**
 * The shape that operands broadcast to; `undefined` where that is not known. Two open sizes on one axis are equal, since
 * the operation took them at the sizes of the capture.
 */
function broadcast(shapes: readonly SymbolicShape[]): SymbolicShape | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const sizes = Array.from({ length: rank }, (_, axis) => {
    const found = shapes.map((shape) => {
      const own = axis - rank + shape.length;
      return own < 0 ? 1 : (shape[own] ?? null);
    });
    return new Set(found.filter((size) => size !== 1));
  });
  return sizes.every(({ size }) => size <= 1) ? sizes.map(([size = 1]) => size) : undefined;
}

function isSameShape(a: SymbolicShape | undefined, b: SymbolicShape | undefined): boolean {
  return a !== undefined && a.length === b?.length && a.every((size, axis) => size === b[axis]);
}

/** The inputs with as many tiles left out as the result's shape allows. */
function leaveOutTiles(node: Node, editor: GraphEditor): readonly ValueRef[] {
  const inputs = [...node.inputs];
  const fits = (candidate: readonly ValueRef[]): boolean =>
    isSameShape(broadcast(candidate.map((input) => shapeOf(input, editor))), node.outputs[0]?.shape);
  for (const [index, input] of inputs.entries()) {
    const source = findTiled(input, editor);
    if (source !== undefined && fits(inputs.with(index, source))) inputs[index] = source;
  }
  return inputs;
}

/** The one `Tile` that a node reads besides single values, if nothing else reads it. */
function findOnlyTile(
  inputs: readonly ValueRef[],
  uses: ReadonlyMap<string, number>,
  editor: GraphEditor,
): Node | undefined {
  const nodes = inputs.map(({ node }) => editor.find(node));
  const [tile, ...others] = nodes.filter((node) => node?.constant?.values.length !== 1);
  return tile?.op === "Tile" && others.length === 0 && uses.get(tile.name) === 1 ? tile : undefined;
}

/**
 * Lets operations broadcast what was repeated for them by a `Tile`, where the result has the same shape without it; and
 * moves a `Tile` behind operations on each element alone, toward one that broadcasts.
 */
export function dropTiles(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (node, editor) => {
    const isBroadcasting = broadcastingOps.has(node.op);
    const inputs = isBroadcasting ? leaveOutTiles(node, editor) : node.inputs;
    const tile = isBroadcasting || unaryOps.has(node.op) ? findOnlyTile(inputs, uses, editor) : undefined;
    const sources = inputs.map((input) => (input.node === tile?.name ? findTiled(input, editor) : input));
    const known = sources.filter((source) => source !== undefined);
    const shape = broadcast(known.map((source) => shapeOf(source, editor)));
    const repeats = tile?.inputs[1];
    if (
      tile === undefined ||
      repeats === undefined ||
      known.length < inputs.length ||
      shape?.length !== node.outputs[0]?.shape.length
    ) {
      editor.append({ ...node, inputs });
      return;
    }
    const outputs = node.outputs.map(({ dtype }) => ({ dtype, shape: shape ?? [] }));
    const before = editor.append({ ...node, inputs: known, outputs });
    const sunk = editor.appendNew({
      ...tile,
      name: `${node.name}/Tile`,
      inputs: [outputOf(before), repeats],
      outputs: node.outputs,
      layer: node.layer,
    });
    uses.set(sunk.name, uses.get(node.name) ?? 0);
    editor.replace(outputOf(node), outputOf(sunk));
  });
}
