import { basename, join, resolve } from "node:path";

import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  CkptError,
  digestBytes,
  formatPaths,
  isCkptError,
  listFormatFiles,
  manifestNames,
  readDocument,
  type Sealed,
  serializeCanonicalJson,
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
 * Tells artifacts of one architecture in one format: a digest over the signature, the topology (the `model.json` of the
 * GraphModel, where there is one) and the sizes of the format's files. Weights are not in it.
 */
export function digestArchitecture(artifact: Artifact, format: ArtifactFormat): string {
  const { signature, files } = artifact.manifest;
  const topology = files.find((file) => file.path === formatPaths["graph-model"])?.sha256 ?? null;
  const sizes = listFormatFiles(artifact.manifest, format).map(({ path, sizeBytes }) => ({ path, sizeBytes }));
  return digestBytes(serializeCanonicalJson({ signature, format, topology, sizes }));
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
