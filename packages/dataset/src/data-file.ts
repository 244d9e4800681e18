import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { createGunzip } from "node:zlib";

import { CkptError } from "@ckpt/manifest";

/** A file with rows in it: where it is and how it is to be read. */
export interface DataFile {
  /** As the caller gave it, for messages. */
  readonly file: string;
  readonly path: string;
  readonly format: "csv" | "parquet" | "ndjson";
  readonly isGzip: boolean;
}

/**
 * Finds a file and tells its format by the end of its name: `.csv`, `.ndjson` and `.jsonl`, each also with `.gz`, and
 * `.parquet`.
 *
 * @throws {CkptError} DATA_UNREADABLE when there is no such file, or its name ends otherwise.
 */
export async function findDataFile(file: string): Promise<DataFile> {
  const [, ending, gzip] = /\.(csv|ndjson|jsonl|parquet)(\.gz)?$/iu.exec(file) ?? [];
  const kind = ending?.toLowerCase();
  if (kind === undefined || (kind === "parquet" && gzip !== undefined)) {
    throw createUnreadableError(file, "the end of its name is not one that tells a format");
  }
  const path = resolve(file);
  const stats = await stat(path).catch((cause: unknown) => {
    throw createUnreadableError(file, describeSystemError(cause), cause);
  });
  if (!stats.isFile()) throw createUnreadableError(file, "it is not a file");
  return {
    file,
    path,
    format: kind === "csv" || kind === "parquet" ? kind : "ndjson",
    isGzip: gzip !== undefined,
  };
}

/**
 * The bytes of the file, decompressed. Reads to the end also check the gzip checksums, which DuckDB does not: it
 * takes a file that was cut off in the middle for a shorter one.
 *
 * @throws {CkptError} DATA_UNREADABLE when the file cannot be read or its gzip data is damaged.
 */
export async function* readDecompressed({ file, path, isGzip }: DataFile): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    if (!isGzip) {
      yield* stream as AsyncIterable<Buffer>;
      return;
    }
    const gunzip = createGunzip({ chunkSize: 1 << 18 });
    stream.on("error", (error) => gunzip.destroy(error));
    yield* stream.pipe(gunzip) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw createUnreadableError(file, describeSystemError(cause), cause);
  } finally {
    stream.destroy();
  }
}

/** Makes the DATA_UNREADABLE error of a data file; in its message `reason` follows the file and a colon. */
export function createUnreadableError(file: string, reason: string, cause?: unknown): CkptError {
  return new CkptError("DATA_UNREADABLE", { file, reason }, { cause });
}

function describeSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES") return "permission denied";
  return code.startsWith("Z_") ? `the gzip data is damaged: ${error.message}` : error.message;
}
