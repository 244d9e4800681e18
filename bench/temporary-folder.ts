import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";

/** Does a piece of work in a new folder below the system's temporary one, and removes the folder however that ends. */
export async function withTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(os.tmpdir(), "ckpt-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
