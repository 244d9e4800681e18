import { join } from "node:path";

import { createDrawing, describeOmissions, drawMermaid, drawSvg } from "@ckpt/graph";
import { type ArtifactFormat, artifactManifestType, CkptError, manifestNames, readDocument } from "@ckpt/manifest";

import { findGraphFormat, graphFormats, readArtifactGraph } from "./read-artifact-graph.js";

/** How a picture is written: an SVG image, or text for Mermaid. */
export type DrawingFormat = "svg" | "mermaid";

/** A picture of an artifact's graph. */
export interface ArtifactDrawing {
  readonly text: string;
  /** The format that was drawn. */
  readonly format: ArtifactFormat;
  /** What the picture leaves out, in words: of thousands of operations it shows the layers. */
  readonly omissions?: string;
}

/**
 * Draws the graph of an artifact, from its files.
 *
 * @throws {CkptError} what `readDocument` throws; INVALID_OPTION when the artifact is ONNX only; a damaged file by name.
 */
export async function drawArtifact(path: string, as: DrawingFormat): Promise<ArtifactDrawing> {
  const manifest = await readDocument(artifactManifestType, join(path, manifestNames.artifact));
  const chosen = findGraphFormat([manifest]);
  if (chosen === undefined) {
    const expected = `an artifact with one of ${graphFormats.join(", ")}`;
    throw new CkptError("INVALID_OPTION", { option: "graph", expected, found: manifest.formats.join(", ") });
  }
  const { format, nodes } = await readArtifactGraph(path, manifest, chosen);
  const drawing = createDrawing(nodes);
  const omissions = describeOmissions(drawing);
  const text = as === "svg" ? drawSvg(drawing) : drawMermaid(drawing);
  return { text, format, ...(omissions === undefined ? {} : { omissions }) };
}
