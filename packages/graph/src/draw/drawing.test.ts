import { describe, expect, it } from "vitest";

import { drawMermaid } from "./draw-mermaid.js";
import { drawSvg } from "./draw-svg.js";
import { createDrawing, describeOmissions, type NamedNode } from "./drawing.js";
import { rankBoxes } from "./rank-boxes.js";

function node(name: string, op: string, ...inputs: readonly string[]): NamedNode {
  return { name, op, inputs };
}

/** Two towers over one input, joined; the right one is longer. */
const towers: readonly NamedNode[] = [
  node("x", "Placeholder"),
  node("left/kernel", "Const"),
  node("left/MatMul", "MatMul", "x", "left/kernel"),
  node("right/kernel", "Const"),
  node("right/MatMul", "MatMul", "x", "right/kernel"),
  node("right/BiasAdd", "BiasAdd", "right/MatMul"),
  node("right/Relu", "Relu", "right/BiasAdd"),
  node("AddV2", "AddV2", "left/MatMul", "right/Relu"),
];

/** A chain of blocks of layers of operations: `block_<n>/layer_<m>/...`. */
function createDeepGraph(blockCount: number, layerCount: number): readonly NamedNode[] {
  const nodes = [node("x", "Placeholder")];
  for (let block = 0; block < blockCount; block++) {
    for (let layer = 0; layer < layerCount; layer++) {
      const path = `block_${block}/layer_${layer}`;
      const before = nodes.at(-1)?.name ?? "";
      nodes.push(node(`${path}/MatMul`, "MatMul", before), node(`${path}/Relu`, "Relu", `${path}/MatMul`));
    }
  }
  return nodes;
}

/** Numbers of an attribute, in the order of the text. */
function readNumbers(svg: string, pattern: RegExp): number[] {
  return Array.from(svg.matchAll(pattern), ([, text]) => Number(text));
}

describe("createDrawing", () => {
  it("shows operations and what they read, and no constants", () => {
    const { boxes, edges, detail, nodeCount } = createDrawing(towers);
    expect(boxes.map(({ title, layer, kind }) => [title, layer, kind])).toEqual([
      ["x", "", "input"],
      ["MatMul", "left", "product"],
      ["MatMul", "right", "product"],
      ["BiasAdd", "right", "other"],
      ["Relu", "right", "other"],
      ["AddV2", "", "other"],
    ]);
    expect(edges.map((edge) => edge.join(" "))).toEqual(["0 1", "0 2", "2 3", "3 4", "1 5", "4 5"]);
    expect({ detail, nodeCount }).toEqual({ detail: "operations", nodeCount: 6 });
  });

  it("shows layers where there are too many operations, and outer ones where there are too many layers", () => {
    const nodes = createDeepGraph(5, 10);
    expect(createDrawing(nodes, { maxBoxes: 101 }).detail).toBe("operations");
    const layers = createDrawing(nodes, { maxBoxes: 100 });
    expect(layers.boxes).toHaveLength(51);
    expect(layers.boxes[1]).toEqual({ title: "block_0/layer_0", subtitle: "MatMul, Relu", kind: "group", layer: "" });
    expect(layers.edges).toHaveLength(50);
    const blocks = createDrawing(nodes, { maxBoxes: 50 });
    expect(blocks.boxes.map(({ title }) => title)).toEqual(["x", ...[0, 1, 2, 3, 4].map((block) => `block_${block}`)]);
    expect(blocks.boxes[5]?.subtitle).toBe("10 MatMul, 10 Relu");
    expect(describeOmissions(blocks)).toBe("101 operations, drawn as 6 layers");
  });

  it("shows kinds of operations where even that is too much, so that any graph can be drawn", () => {
    const nodes = Array.from({ length: 20_000 }, (_, at) =>
      node(`n${at}`, ["Mul", "AddV2"][at % 2] ?? "", `n${at - 1}`),
    );
    const drawing = createDrawing(nodes);
    expect(drawing.boxes.map(({ title, subtitle }) => `${title} ${subtitle}`)).toEqual([
      "Mul 10000 times",
      "AddV2 10000 times",
    ]);
    expect(drawing.edges.map((edge) => edge.join(" "))).toEqual(["0 1", "1 0"]);
    expect(drawSvg(drawing)).toContain("20000 operations, drawn as 2 kinds of operations");
  });
});

describe("rankBoxes", () => {
  it("puts a box below all that it reads, and long edges through the ranks between", () => {
    const { ranks, routes, spots } = rankBoxes(createDrawing(towers));
    const rankOf = new Map(ranks.flatMap((spots, rank) => spots.map((spot) => [spot, rank])));
    expect([0, 1, 2, 3, 4, 5].map((box) => rankOf.get(box))).toEqual([0, 1, 1, 2, 3, 4]);
    expect(routes.map((route) => route.length)).toEqual([2, 2, 2, 2, 4, 2]);
    for (const route of routes) {
      const [first = 0] = route;
      expect(route.map((spot) => rankOf.get(spot))).toEqual(route.map((_, at) => (rankOf.get(first) ?? 0) + at));
    }
    expect(spots.filter(({ box }) => box === -1)).toHaveLength(2);
  });

  it("orders a rank so that edges do not cross where they need not", () => {
    const crossed = [
      node("a", "Placeholder"),
      node("b", "Placeholder"),
      node("c", "Relu", "b"),
      node("d", "Relu", "a"),
    ];
    const [first = [], second = []] = rankBoxes(createDrawing(crossed)).ranks;
    const readerOf = new Map([
      [0, 3],
      [1, 2],
    ]);
    expect(first.map((box) => readerOf.get(box))).toEqual(second);
  });
});

describe("drawSvg", () => {
  it("draws each box and edge once, none over another", () => {
    const svg = drawSvg(createDrawing(towers));
    expect(svg.match(/<path d="M[^"]*C/g)).toHaveLength(6);
    const boxes = Array.from(
      svg.matchAll(/<g><title>[^<]*<\/title>\n<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g),
      ([, ...numbers]) => numbers.map(Number),
    );
    expect(boxes).toHaveLength(6);
    for (const [index, [x = 0, y = 0, width = 0, height = 0]] of boxes.entries()) {
      for (const [left = 0, top = 0, otherWidth = 0, otherHeight = 0] of boxes.slice(index + 1)) {
        const isApart = x + width < left || left + otherWidth < x || y + height < top || top + otherHeight < y;
        expect(isApart).toBe(true);
      }
    }
    const [width = 0] = readNumbers(svg, /^<svg [^>]* width="(\d+)"/g);
    expect(Math.max(...boxes.map(([x = 0, , boxWidth = 0]) => x + boxWidth))).toBeLessThan(width);
  });

  it("frames a layer, unless another box would be in its frame", () => {
    const framed = drawSvg(createDrawing(createDeepGraph(1, 2)));
    expect(Array.from(framed.matchAll(/text-anchor="start">(.+?)</g), ([, layer]) => layer)).toEqual([
      "block_0/layer_0",
      "block_0/layer_1",
    ]);
    expect(framed.match(/stroke-dasharray/g)).toHaveLength(2);
    const enclosed = [
      node("x", "Placeholder"),
      node("layer/Relu", "Relu", "x"),
      node("other", "Neg", "layer/Relu"),
      node("layer/Tanh", "Tanh", "other"),
    ];
    expect(drawSvg(createDrawing(enclosed))).not.toContain("stroke-dasharray");
  });

  it("gives the same text for the same graph", () => {
    const nodes = createDeepGraph(10, 10);
    expect(drawSvg(createDrawing(nodes))).toBe(drawSvg(createDrawing([...nodes])));
  });

  it("escapes names, and shortens long ones but for the tooltip", () => {
    const name = `a<b>&"c"\u0001${"d".repeat(40)}`;
    const svg = drawSvg(createDrawing([node(name, "Placeholder")]));
    expect(svg).toContain(`<title>a&lt;b&gt;&amp;&quot;c&quot;${"d".repeat(40)}\ninput</title>`);
    expect(svg).toContain(`>…${"d".repeat(35)}</text>`);
  });
});

describe("drawMermaid", () => {
  it("writes a flowchart with a subgraph for each layer of several operations", () => {
    expect(drawMermaid(createDrawing(towers))).toBe(
      `flowchart TD
  node0(["x<br>input"])
  node5["AddV2<br>AddV2"]
  node1["MatMul<br>left/MatMul"]
  subgraph layer2 ["right"]
    node2["MatMul<br>right/MatMul"]
    node3["BiasAdd<br>right/BiasAdd"]
    node4["Relu<br>right/Relu"]
  end
  node0 --> node1
  node0 --> node2
  node2 --> node3
  node3 --> node4
  node1 --> node5
  node4 --> node5
`,
    );
  });

  it("says what it leaves out, and escapes names", () => {
    const text = drawMermaid(createDrawing([node('a/"b" #1<2>', "Relu"), node("a/c", "Relu")], { maxBoxes: 1 }));
    expect(text).toBe('flowchart TD\n  %% 2 operations, drawn as 1 layers\n  node0[["a<br>2 Relu"]]\n');
    expect(drawMermaid(createDrawing([node('"b" #1<2>', "Relu")]))).toContain('"Relu<br>#quot;b#quot; #35;1#lt;2#gt;"');
  });
});
