import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** SHA-256 of the bytes or of the UTF-8 text, as 64 lower-case hexadecimal digits. */
export function digestBytes(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A SHA-256 that is computed piece by piece. */
export interface Digest {
  update(chunk: Uint8Array): void;
  /** 64 lower-case hexadecimal digits; to be called once. */
  finish(): string;
}

/** Starts a digest of bytes that come in pieces. */
export function createDigest(): Digest {
  const hash = createHash("sha256");
  return { update: (chunk) => void hash.update(chunk), finish: () => hash.digest("hex") };
}

/** Large enough for the speed of SHA-256, small enough to stay in the cache. */
const chunkBytes = 1 << 17;

/** SHA-256 and size of a file, read once in chunks; memory does not grow with the file. */
export async function digestFile(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  const file = await open(path);
  try {
    // One for all chunks: a stream takes new memory for each, and the garbage collector as long as the hashing.
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let sizeBytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) return { sha256: hash.digest("hex"), sizeBytes };
      hash.update(chunk.subarray(0, bytesRead));
      sizeBytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
