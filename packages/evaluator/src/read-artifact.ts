import { basename, join, resolve } from "node:path";

import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  CkptError,
  formatPaths,
  isCkptError,
  listFormatFiles,
  manifestNames,
  readDocument,
  type Sealed,
  verifyFiles,
} from "@ckpt/manifest";

/** A committed artifact. */
export interface Artifact {
  /** Its folder's name. */
  readonly id: string;
  readonly path: string;
  readonly manifest: Sealed<ArtifactManifest>;
}

/** @throws {CkptError} ARTIFACT_NOT_FOUND, and what `readDocument` throws of a damaged manifest. */
export async function readArtifact(path: string): Promise<Artifact> {
  try {
    const manifest = await readDocument(artifactManifestType, join(path, manifestNames.artifact));
    return { id: basename(resolve(path)), path, manifest };
  } catch (cause) {
    if (!isCkptError(cause, "MANIFEST_MISSING")) throw cause;
    throw new CkptError("ARTIFACT_NOT_FOUND", { path }, { cause });
  }
}

/**
 * Checks the bytes that an engine is about to run: every file of one format against the manifest.
 *
 * @throws {CkptError} The first problem found: FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or UNSAFE_PATH.
 */
export async function verifyFormat(artifact: Artifact, format: ArtifactFormat): Promise<void> {
  const files = listFormatFiles(artifact.manifest, format);
  if (files.length === 0) throw new CkptError("FILE_MISSING", { path: join(artifact.path, formatPaths[format]) });
  const [problem] = await verifyFiles(artifact.path, files);
  if (problem !== undefined) throw problem;
}
