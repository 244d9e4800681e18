/** A node of a graph to be drawn. */
export interface NamedNode {
  /** With the layer in front, as in `encoder/dense_1/MatMul`. */
  readonly name: string;
  readonly op: string;
  /** Names of the nodes it reads. */
  readonly inputs: readonly string[];
}

/** One box of a drawing: an operation, or a group of them. */
export interface Box {
  readonly title: string;
  readonly subtitle: string;
  readonly kind: "input" | "product" | "other" | "group";
  /** Path of the layer it is in; empty for none. */
  readonly layer: string;
}

/** What is to be seen of a graph, without a place for anything yet. */
export interface Drawing {
  readonly boxes: readonly Box[];
  /** Indices of boxes, each pair once, in the order of the boxes. */
  readonly edges: readonly (readonly [from: number, to: number])[];
  /** What each box stands for. Layers and kinds of operations are drawn where there would be too many boxes. */
  readonly detail: "operations" | "layers" | "kinds";
  /** Operations of the graph; constants are no part of it. */
  readonly nodeCount: number;
}

/** How much a drawing shows. */
export interface DrawingOptions {
  /** More boxes than this are not drawn; what is alike is drawn as one. Default: 250. */
  readonly maxBoxes?: number;
}

/** The operations that have weights to multiply with. */
const products: ReadonlySet<string> = new Set(
  (
    "BatchMatMulV2 Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 DepthwiseConv2dNative Einsum " +
    "FusedDepthwiseConv2dNative GatherV2 MatMul _FusedConv2D _FusedMatMul"
  ).split(" "),
);

/**
 * Chooses what to draw of a graph: its operations without the constants; where these are more than `maxBoxes` its layers,
 * nested ones in one where it has to be; and where it has no layers, or too many, its kinds of operations.
 */
export function createDrawing(nodes: readonly NamedNode[], { maxBoxes = 250 }: DrawingOptions = {}): Drawing {
  const shown = nodes.filter(({ op }) => op !== "Const");
  if (shown.length <= maxBoxes) return draw("operations", shown, ({ name }) => name);
  const depth = shown.reduce((deepest, { name }) => Math.max(deepest, name.split("/").length - 1), 0);
  for (let kept = depth; kept > 0; kept--) {
    const group = (node: NamedNode): string => layerOf(node).split("/").slice(0, kept).join("/") || node.name;
    if (new Set(shown.map(group)).size <= maxBoxes) return draw("layers", shown, group);
  }
  return draw("kinds", shown, ({ op }) => op);
}

/** What a drawing leaves out, in words; nothing where every operation is drawn. */
export function describeOmissions({ detail, nodeCount, boxes }: Drawing): string | undefined {
  if (detail === "operations") return undefined;
  return `${nodeCount} operations, drawn as ${boxes.length} ${detail === "layers" ? "layers" : "kinds of operations"}`;
}

function draw(detail: Drawing["detail"], nodes: readonly NamedNode[], groupOf: (node: NamedNode) => string): Drawing {
  const members = new Map<string, NamedNode[]>();
  for (const node of nodes) {
    const group = members.get(groupOf(node)) ?? [];
    group.push(node);
    members.set(groupOf(node), group);
  }
  const indices = new Map([...members.keys()].map((key, index) => [key, index]));
  const boxOf = new Map(nodes.map((node) => [node.name, indices.get(groupOf(node))]));
  const edges = new Map<string, readonly [number, number]>();
  for (const node of nodes) {
    const to = boxOf.get(node.name);
    for (const input of node.inputs) {
      const from = boxOf.get(input);
      if (from !== undefined && to !== undefined && from !== to) edges.set(`${from} ${to}`, [from, to]);
    }
  }
  const boxes = [...members].map(([key, group]) => toBox(detail, key, group));
  return { boxes, edges: [...edges.values()], detail, nodeCount: nodes.length };
}

function toBox(detail: Drawing["detail"], key: string, group: readonly NamedNode[]): Box {
  const [first] = group;
  if (first !== undefined && group.length === 1 && detail !== "kinds") {
    const { name, op } = first;
    if (op === "Placeholder") return { title: name, subtitle: "input", kind: "input", layer: layerOf(first) };
    const kind = products.has(op) ? "product" : "other";
    return { title: op, subtitle: name, kind, layer: layerOf(first) };
  }
  if (detail === "kinds") return { title: key, subtitle: `${group.length} times`, kind: "group", layer: "" };
  return { title: key, subtitle: summarize(group), kind: "group", layer: "" };
}

/** The most frequent operations of a group, those of one layer. */
function summarize(group: readonly NamedNode[]): string {
  const counts = new Map<string, number>();
  for (const { op } of group) counts.set(op, (counts.get(op) ?? 0) + 1);
  const sorted = [...counts].toSorted(([a, first], [b, second]) => second - first || (a < b ? -1 : 1));
  const named = sorted.slice(0, 3).map(([op, count]) => (count === 1 ? op : `${count} ${op}`));
  return `${named.join(", ")}${sorted.length > 3 ? ", ..." : ""}`;
}

function layerOf({ name }: NamedNode): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}
