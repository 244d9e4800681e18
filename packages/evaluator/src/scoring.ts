import { dirname } from "node:path";

import {
  CkptError,
  type DataRecord,
  type EvaluationManifest,
  type FileSystem,
  isCkptError,
  nodeFileSystem,
  readDocument,
  replaceFile,
  type ScoringManifest,
  scoringManifestType,
  scoringPath,
  serializeDocument,
} from "@ckpt/manifest";

import type { ScoringOptions } from "./check-scoring.js";
import type { Slice } from "./metrics/slices.js";

/** How the rows of a split count, by columns of its data, and which parts of them are looked at. */
export interface Scoring {
  readonly weights?: { readonly column: string; readonly values: Float64Array };
  readonly groups?: { readonly column: string; readonly values: Int32Array };
  readonly slices?: readonly Slice[];
}

/**
 * Keeps beside the evaluations how the rows of a split count, in the place of what was kept before: whatever computes
 * metrics of that split's evaluations from then on goes by it, unless it is told otherwise. One that says nothing is
 * removed.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function writeScoring(
  evaluations: string,
  { name, role, rowCount, digest }: DataRecord,
  { weights, groups, slices = [] }: Scoring,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const path = scoringPath(evaluations, digest);
  if (weights === undefined && groups === undefined && slices.length === 0) return fileSystem.remove(path);
  const document: ScoringManifest = {
    kind: scoringManifestType.kind,
    schemaVersion: scoringManifestType.schemaVersion,
    split: { name, role, rowCount, digest },
    ...(weights === undefined ? {} : { weights: { column: weights.column, values: encode(weights.values) } }),
    ...(groups === undefined ? {} : { groups: { column: groups.column, values: encode(groups.values) } }),
    ...(slices.length === 0
      ? {}
      : { slices: slices.map((slice) => ({ name: slice.name, rows: encode(packRows(slice, rowCount)) })) }),
  };
  await fileSystem.makeFolder(evaluations);
  await replaceFile(path, serializeDocument(document), fileSystem);
}

/**
 * How the rows of a split count by what is kept beside its evaluations; nothing where nothing is kept.
 *
 * @throws {CkptError} MANIFEST_INVALID when it is damaged, SCHEMA_TOO_NEW.
 */
export async function readScoring(evaluations: string, { digest, rowCount }: DataRecord): Promise<Scoring> {
  const path = scoringPath(evaluations, digest);
  let document: ScoringManifest;
  try {
    document = await readDocument(scoringManifestType, path);
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return {};
    throw error;
  }
  const decode = (text: string, bytesPerRow: number, field: string): ArrayBuffer => {
    const bytes = Uint8Array.from(Buffer.from(text, "base64"));
    const expected = Math.ceil(rowCount * bytesPerRow);
    if (bytes.length === expected) return bytes.buffer;
    const message = `expected ${expected} bytes, found ${bytes.length}`;
    throw new CkptError("MANIFEST_INVALID", { path, issues: [{ path: field, message }] });
  };
  const { weights, groups, slices } = document;
  return {
    ...(weights === undefined
      ? {}
      : { weights: { column: weights.column, values: new Float64Array(decode(weights.values, 8, "weights")) } }),
    ...(groups === undefined
      ? {}
      : { groups: { column: groups.column, values: new Int32Array(decode(groups.values, 4, "groups")) } }),
    ...(slices === undefined
      ? {}
      : { slices: slices.map(({ name, rows }) => unpackRows(name, new Uint8Array(decode(rows, 1 / 8, "slices")))) }),
  };
}

/**
 * The options to compute an evaluation's metrics with: those that are given, and for the others what is kept beside it.
 *
 * @param path - The evaluation's folder.
 * @throws {CkptError} As {@link readScoring}.
 */
export async function resolveScoring(
  path: string,
  { split }: EvaluationManifest,
  options: ScoringOptions,
): Promise<ScoringOptions> {
  const { weights, groups, slices } = await readScoring(dirname(path), split);
  return {
    ...(weights === undefined ? {} : { weights: weights.values }),
    ...(groups === undefined ? {} : { groups: groups.values }),
    ...(slices === undefined ? {} : { slices }),
    ...options,
  };
}

function encode({ buffer, byteOffset, byteLength }: Float64Array | Int32Array | Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

function packRows(slice: Slice, rowCount: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rowCount / 8));
  for (let row = 0; row < rowCount; row++) {
    if (slice.includes(row)) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
  }
  return bits;
}

function unpackRows(name: string, bits: Uint8Array): Slice {
  return { name, includes: (row) => ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0 };
}
