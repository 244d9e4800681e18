import { stat } from "node:fs/promises";
import { join } from "node:path";

import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  CkptError,
  isCkptError,
  manifestNames,
  nodeFileSystem,
  readDocument,
  type Sealed,
} from "@ckpt/manifest";

/**
 * The artifact at `path`, if it was frozen from the model with this digest into just these formats and all its files
 * are there with the sizes listed; `undefined` where there is none or another one.
 *
 * @throws {CkptError} SCHEMA_TOO_NEW when a newer ckpt wrote it.
 */
export async function findArtifact(
  path: string,
  sourceDigest: string,
  formats: readonly ArtifactFormat[],
): Promise<Sealed<ArtifactManifest> | undefined> {
  let manifest: Sealed<ArtifactManifest>;
  try {
    manifest = await readDocument(artifactManifestType, join(path, manifestNames.artifact));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING") || isCkptError(error, "MANIFEST_INVALID")) return undefined;
    throw error;
  }
  const isSame =
    manifest.source.digest === sourceDigest &&
    manifest.formats.length === formats.length &&
    formats.every((format) => manifest.formats.includes(format));
  return isSame && (await hasFiles(path, manifest)) ? manifest : undefined;
}

async function hasFiles(path: string, { files }: ArtifactManifest): Promise<boolean> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(path, ...file.path.split("/"))).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  return files.every(({ sizeBytes }, index) => sizes[index] === sizeBytes);
}

/**
 * Makes sure that an artifact may take the place of what is at `path`: nothing, an empty folder or an older artifact.
 *
 * @throws {CkptError} TARGET_EXISTS when it is anything else.
 */
export async function requireReplaceable(path: string): Promise<void> {
  const isFile = await stat(path).then(
    (found) => !found.isDirectory(),
    () => false,
  );
  const names = isFile ? [] : await nodeFileSystem.list(path);
  if (isFile || (names.length > 0 && !names.includes(manifestNames.artifact))) {
    throw new CkptError("TARGET_EXISTS", { path });
  }
}
