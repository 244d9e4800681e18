import { stat } from "node:fs/promises";
import { join } from "node:path";

import {
  type ArtifactManifest,
  artifactManifestType,
  CkptError,
  isCkptError,
  manifestNames,
  nodeFileSystem,
  readDocument,
  serializeCanonicalJson,
  verifyFiles,
} from "@ckpt/manifest";

import type { ArtifactRequest, FreezeResult, UnverifiedFormat } from "./freeze-options.js";
import type { FurtherSignatures } from "./saved-model-signatures.js";

/**
 * The artifact at `path`, if it was frozen from this model, or the same piece of it with the same pins, into just these
 * formats with weights stored by these rules, was held to these tolerances or smaller ones, and all its files are as they
 * were written; `undefined` where there is none or another.
 *
 * @throws {CkptError} SCHEMA_TOO_NEW when a newer ckpt wrote it.
 */
export async function findArtifact(
  path: string,
  source: ArtifactManifest["source"],
  { formats, tolerance, quantization, maxUnrolledSteps, cut, pins, furtherSignatures }: ArtifactRequest,
): Promise<FreezeResult | undefined> {
  let manifest: FreezeResult["manifest"];
  try {
    manifest = await readDocument(artifactManifestType, join(path, manifestNames.artifact));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING") || isCkptError(error, "MANIFEST_INVALID")) return undefined;
    throw error;
  }
  const isSame =
    serializeCanonicalJson([manifest.source, manifest.cut ?? null, manifest.pins ?? null]) ===
      serializeCanonicalJson([source, cut ?? null, pins ?? null]) &&
    serializeCanonicalJson(listOutputs(manifest.furtherSignatures)) ===
      serializeCanonicalJson(furtherSignatures ?? {}) &&
    manifest.tolerance <= tolerance &&
    JSON.stringify(manifest.quantization?.rules) === JSON.stringify(quantization?.rules) &&
    (manifest.quantization?.tolerance ?? 0) <= (quantization?.tolerance ?? 0) &&
    manifest.maxUnrolledSteps === maxUnrolledSteps &&
    manifest.formats.length === formats.length &&
    formats.every((format) => manifest.formats.includes(format));
  return isSame && (await verifyFiles(path, manifest.files)).length === 0
    ? { path, manifest, isReused: true, unverified: listUnverified(manifest) }
    : undefined;
}

/** Further signatures as they are asked for: by the names of their outputs. */
function listOutputs(furtherSignatures: ArtifactManifest["furtherSignatures"] = {}): FurtherSignatures {
  return Object.fromEntries(
    Object.entries(furtherSignatures).map(([key, { outputs }]) => [key, { outputs: outputs.map(({ name }) => name) }]),
  );
}

/** An artifact keeps no reasons, but what was compared has a record. */
function listUnverified({ formats, parity }: ArtifactManifest): readonly UnverifiedFormat[] {
  return formats
    .filter((format) => parity.every((record) => record.format !== format))
    .map((format) => ({ format, reason: "it was not compared when it was frozen" }));
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
