import { type Box, describeOmissions, type Drawing } from "./drawing.js";

/** A drawing as Mermaid text, a flowchart from top to bottom with a subgraph for each layer. */
export function drawMermaid(drawing: Drawing): string {
  const { boxes, edges } = drawing;
  const omissions = describeOmissions(drawing);
  const layers = new Map<string, number[]>();
  for (const [index, { layer }] of boxes.entries()) layers.set(layer, [...(layers.get(layer) ?? []), index]);
  const lines = ["flowchart TD", ...(omissions === undefined ? [] : [`  %% ${omissions}`])];
  for (const [number, [layer, members]] of [...layers].entries()) {
    const isDrawn = layer !== "" && members.length > 1;
    if (isDrawn) lines.push(`  subgraph layer${number} ["${escapeLabel(layer)}"]`);
    for (const index of members) lines.push(`${isDrawn ? "    " : "  "}node${index}${formatBox(boxes[index])}`);
    if (isDrawn) lines.push("  end");
  }
  for (const [from, to] of edges) lines.push(`  node${from} --> node${to}`);
  return `${lines.join("\n")}\n`;
}

function formatBox(box: Box | undefined): string {
  if (box === undefined) return "";
  const label = `"${escapeLabel(box.title)}<br>${escapeLabel(box.subtitle)}"`;
  if (box.kind === "input") return `([${label}])`;
  return box.kind === "group" ? `[[${label}]]` : `[${label}]`;
}

const entities: Readonly<Record<string, string>> = {
  '"': "quot",
  "#": "35",
  "&": "amp",
  "<": "lt",
  ">": "gt",
  "`": "96",
};

/** Reference: "Entity codes to escape characters" of Mermaid's flowchart syntax. */
function escapeLabel(text: string): string {
  return text.replaceAll(/["#&<>`]/g, (letter) => `#${entities[letter]};`).replaceAll(/\s+/g, " ");
}
