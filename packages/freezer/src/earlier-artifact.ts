import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

import type { FileEntry, StagedFolder } from "@ckpt/manifest";

import type { EmittedFile } from "./emit-formats.js";

/** An artifact whose files may become those of another one too. Plain data. */
export interface EarlierArtifact {
  /** The folder. */
  readonly path: string;
  readonly files: readonly FileEntry[];
}

/**
 * Writes a file of an artifact. Where the earlier artifact has the same bytes under the same name, which are then on the
 * disk once, it gives these a second name; where the file system cannot, it writes them.
 */
export async function writeOrLink(
  staged: StagedFolder,
  { path, data }: EmittedFile,
  earlier: EarlierArtifact | undefined,
): Promise<void> {
  const parts =
    typeof data === "string" ? [new TextEncoder().encode(data)] : data instanceof Uint8Array ? [data] : data;
  const sizeBytes = parts.reduce((size, part) => size + part.byteLength, 0);
  const entry = earlier?.files.find((file) => file.path === path && file.sizeBytes === sizeBytes);
  if (earlier !== undefined && entry !== undefined) {
    const existing = join(earlier.path, path);
    if ((await holdsParts(existing, parts)) && (await staged.link(existing, entry))) return;
  }
  await staged.write(path, parts);
}

/** Other weights mostly differ in the first bytes, so that little is read in vain. */
const firstBytes = 1 << 12;
const furtherBytes = 1 << 20;

/** Whether a file of this size holds just these bytes, one part after the other; false where it cannot be read. */
async function holdsParts(path: string, parts: readonly Uint8Array[]): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      let position = 0;
      for (const part of parts) {
        if (!(await holdsBytes(file, position, part))) return false;
        position += part.byteLength;
      }
      return true;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

async function holdsBytes(file: FileHandle, start: number, bytes: Uint8Array): Promise<boolean> {
  for (let offset = 0; offset < bytes.byteLength;) {
    const size = offset === 0 ? firstBytes : furtherBytes;
    const chunk = Buffer.allocUnsafe(Math.min(size, bytes.byteLength - offset));
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, start + offset);
    const expected = bytes.subarray(offset, offset + bytesRead);
    if (bytesRead === 0 || chunk.compare(expected, 0, expected.byteLength, 0, bytesRead) !== 0) return false;
    offset += bytesRead;
  }
  return true;
}
