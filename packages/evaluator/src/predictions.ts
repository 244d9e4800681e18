import { type FileHandle, open } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";

import {
  CkptError,
  type EvaluationManifest,
  evaluationManifestType,
  isCkptError,
  manifestNames,
  readDocument,
  type Sealed,
  verifyFiles,
} from "@ckpt/manifest";

import { countValues } from "./task.js";

/** Files of an evaluation folder. Values are row after row, little-endian, four bytes each. */
export const predictionFiles = { predictions: "predictions.bin", labels: "labels.bin" } as const;

const bytesPerValue = 4;

/** Consecutive rows of a stored evaluation. */
export interface StoredRows {
  readonly rowCount: number;
  readonly predictions: Float32Array;
  /** Class indices, or regression targets. */
  readonly labels: Int32Array | Float32Array;
}

/** The bytes of the values in the order that the files have, which is the machine's own nearly everywhere. */
export function encodeValues(values: Float32Array | Int32Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return endianness() === "LE" ? bytes : Buffer.from(bytes).swap32();
}

/**
 * Reads an evaluation's manifest and checks every byte of its files.
 *
 * @throws {CkptError} EVALUATION_NOT_FOUND when nothing is committed there, FILE_MISSING, SIZE_MISMATCH or
 *   DIGEST_MISMATCH for a damaged file, and what `readDocument` throws of a damaged manifest.
 */
export async function readEvaluation(path: string): Promise<Sealed<EvaluationManifest>> {
  let manifest: Sealed<EvaluationManifest>;
  try {
    manifest = await readDocument(evaluationManifestType, join(path, manifestNames.evaluation));
  } catch (cause) {
    if (!isCkptError(cause, "MANIFEST_MISSING")) throw cause;
    throw new CkptError("EVALUATION_NOT_FOUND", { path, expected: manifestNames.evaluation }, { cause });
  }
  const [problem] = await verifyFiles(path, manifest.files);
  if (problem !== undefined) throw problem;
  return manifest;
}

/**
 * Reads the rows of an evaluation in order, some thousand at a time, so that memory does not grow with their number.
 *
 * @throws {CkptError} MANIFEST_INVALID when the files are not as long as the manifest's specs say.
 */
export async function* readRows(
  path: string,
  manifest: EvaluationManifest,
  rowsPerRead = 8192,
): AsyncGenerator<StoredRows> {
  const { rowCount } = manifest.split;
  const predictionCount = countValues(manifest.output);
  const labelCount = countValues(manifest.labels);
  const predictions = await openValues(path, manifest, predictionFiles.predictions, rowCount * predictionCount);
  try {
    const labels = await openValues(path, manifest, predictionFiles.labels, rowCount * labelCount);
    try {
      for (let start = 0; start < rowCount; start += rowsPerRead) {
        const count = Math.min(rowsPerRead, rowCount - start);
        const labelBytes = await readBytes(labels, start * labelCount, count * labelCount);
        yield {
          rowCount: count,
          predictions: new Float32Array(await readBytes(predictions, start * predictionCount, count * predictionCount)),
          labels: manifest.labels.dtype === "int32" ? new Int32Array(labelBytes) : new Float32Array(labelBytes),
        };
      }
    } finally {
      await labels.close();
    }
  } finally {
    await predictions.close();
  }
}

async function openValues(
  folder: string,
  manifest: EvaluationManifest,
  name: string,
  valueCount: number,
): Promise<FileHandle> {
  const sizeBytes = manifest.files.find((file) => file.path === name)?.sizeBytes;
  if (sizeBytes !== valueCount * bytesPerValue) {
    throw new CkptError("MANIFEST_INVALID", {
      path: join(folder, manifestNames.evaluation),
      issues: [{ path: "files", message: `${name} has to have ${valueCount * bytesPerValue} bytes, not ${sizeBytes}` }],
    });
  }
  return open(join(folder, name), "r");
}

async function readBytes(file: FileHandle, firstValue: number, valueCount: number): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(valueCount * bytesPerValue);
  const bytes = Buffer.from(buffer);
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, firstValue * bytesPerValue + done);
    if (bytesRead === 0) throw new Error("the file became shorter while it was read");
    done += bytesRead;
  }
  if (endianness() !== "LE") bytes.swap32();
  return buffer;
}
