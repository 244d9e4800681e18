import { open } from "node:fs/promises";
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
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const entry = earlier?.files.find((file) => file.path === path && file.sizeBytes === bytes.byteLength);
  if (earlier !== undefined && entry !== undefined) {
    const existing = join(earlier.path, path);
    if ((await holdsBytes(existing, bytes)) && (await staged.link(existing, entry))) return;
  }
  await staged.write(path, bytes);
}

/** Other weights mostly differ in the first bytes, so that little is read in vain. */
const firstBytes = 1 << 12;
const furtherBytes = 1 << 20;

/** Whether a file of this size holds just these bytes; false where it cannot be read. */
async function holdsBytes(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      for (let offset = 0; offset < bytes.byteLength;) {
        const size = offset === 0 ? firstBytes : furtherBytes;
        const chunk = Buffer.allocUnsafe(Math.min(size, bytes.byteLength - offset));
        const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, offset);
        const expected = bytes.subarray(offset, offset + bytesRead);
        if (bytesRead === 0 || chunk.compare(expected, 0, expected.byteLength, 0, bytesRead) !== 0) return false;
        offset += bytesRead;
      }
      return true;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
