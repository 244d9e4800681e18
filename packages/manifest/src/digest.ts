import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

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

/** SHA-256 and size of a file, read once in chunks; memory does not grow with the file. */
export async function digestFile(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer;
    hash.update(bytes);
    sizeBytes += bytes.length;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}
