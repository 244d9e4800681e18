import { randomUUID } from "node:crypto";
import { closeSync, openSync, read, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { CkptError } from "@ckpt/manifest";

import { createValues, type RowValues, type RowWriter, type Values } from "./row-values.js";

/** Bytes that are written, and of a digest read, at once. */
const pieceBytes = 2 ** 22;
/** No system call reads more than 2 GB. */
const maxReadBytes = 2 ** 30;
const bytesPerValue = 4;

/** An open file; whoever may still read or write it refers to this object. */
interface OpenFile {
  /** For messages: nothing is there any more. */
  readonly path: string;
  readonly descriptor: number;
}

const openFiles = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/**
 * Makes a writer into a file in the system's temporary folder; a row has `width` values. The file has no name: whatever
 * way the process ends, its space is free then.
 *
 * @throws {CkptError} FILE_SYSTEM, as all of its functions do, when the folder has no room.
 */
export function createDiskWriter(dtype: "float32" | "int32", width: number): RowWriter {
  const file = createFile();
  const rowsPerPiece = Math.max(1, Math.floor(pieceBytes / (width * bytesPerValue)));
  const buffer = createValues(dtype, rowsPerPiece * width);
  let rowCount = 0;
  let bufferedRows = 0;
  const flush = (): void => {
    const bytes = viewBytes(buffer.subarray(0, bufferedRows * width));
    for (let written = 0; written < bytes.length;) {
      const rest = bytes.subarray(written);
      written += attempt(file.path, "write", () => writeSync(file.descriptor, rest));
    }
    bufferedRows = 0;
  };
  return {
    values: buffer,
    claim() {
      if (bufferedRows === rowsPerPiece) flush();
      rowCount++;
      return bufferedRows++ * width;
    },
    finish() {
      flush();
      return openRows({ file, dtype, width, rowCount, rowsPerPiece });
    },
  };
}

function createFile(): OpenFile {
  const path = join(tmpdir(), `ckpt-rows-${randomUUID()}`);
  const descriptor = attempt(path, "create", () => openSync(path, "wx+", 0o600));
  const file = { path, descriptor };
  openFiles.register(file, descriptor);
  attempt(path, "remove", () => unlinkSync(path));
  return file;
}

interface RowFile {
  readonly file: OpenFile;
  readonly dtype: "float32" | "int32";
  readonly width: number;
  readonly rowCount: number;
  readonly rowsPerPiece: number;
}

function openRows({ file, dtype, width, rowCount, rowsPerPiece }: RowFile): RowValues {
  const fill = async (target: Values, firstRow: number): Promise<void> => {
    const bytes = viewBytes(target);
    const start = firstRow * width * bytesPerValue;
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, maxReadBytes);
      const { bytesRead } = await readAt(file.descriptor, bytes, done, length, start + done).catch((error: unknown) => {
        throw describeFailure(file.path, "read", error);
      });
      if (bytesRead === 0) throw describeFailure(file.path, "read", new Error("the file has become shorter"));
      done += bytesRead;
    }
  };
  return {
    async read(start, end) {
      const values = createValues(dtype, (end - start) * width);
      await fill(values, start);
      return values;
    },
    async gather(indices) {
      const values = createValues(dtype, indices.length * width);
      for (let at = 0; at < indices.length;) {
        // Rows that follow each other are one read.
        let end = at + 1;
        while (end < indices.length && indices[end] === indices[at]! + end - at) end++;
        await fill(values.subarray(at * width, end * width), indices[at]!);
        at = end;
      }
      return values;
    },
    async *pieces() {
      const buffer = createValues(dtype, rowsPerPiece * width);
      for (let row = 0; row < rowCount; row += rowsPerPiece) {
        const piece = buffer.subarray(0, Math.min(rowsPerPiece, rowCount - row) * width);
        await fill(piece, row);
        yield piece;
      }
    },
  };
}

const readAt = promisify(read);

function viewBytes({ buffer, byteOffset, byteLength }: Values): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function attempt<Result>(path: string, operation: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw describeFailure(path, operation, error);
  }
}

function describeFailure(path: string, operation: string, cause: unknown): CkptError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CkptError("FILE_SYSTEM", { path, operation, reason }, { cause });
}
