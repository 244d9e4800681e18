import { type EvaluationManifest, formatPaths } from "@ckpt/manifest";

import type { Artifact } from "./read-artifact.js";

/** Bytes of the format that was run: its folder with all in it, or its file with what belongs to it. */
export function countBytes({ manifest }: Artifact, evaluation: EvaluationManifest): number {
  const root = formatPaths[evaluation.artifact.format].split("/", 1).join();
  return manifest.files.filter(({ path }) => path.startsWith(root)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
