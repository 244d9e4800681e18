import { open, stat } from "node:fs/promises";

/** Node reads fewer than 2 GiB at once. */
const maxReadBytes = 1 << 30;

/** Reads several files into one array of bytes, one after the other. */
export async function readJoined(paths: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const joined = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  for (const [index, path] of paths.entries()) {
    offset += await readInto(path, joined.subarray(offset, offset + (sizes[index] ?? 0)));
  }
  return joined.subarray(0, offset);
}

async function readInto(path: string, target: Uint8Array): Promise<number> {
  const file = await open(path);
  try {
    let size = 0;
    for (let bytesRead = -1; bytesRead !== 0 && size < target.byteLength; size += bytesRead) {
      ({ bytesRead } = await file.read(target, size, Math.min(target.byteLength - size, maxReadBytes)));
    }
    return size;
  } finally {
    await file.close();
  }
}
