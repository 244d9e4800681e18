import { type ArtifactFormat, type ArtifactManifest, listFormatFiles } from "@ckpt/manifest";

/** Bytes of all files of one format of an artifact. */
export function countFormatBytes(manifest: ArtifactManifest, format: ArtifactFormat): number {
  return listFormatFiles(manifest, format).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
