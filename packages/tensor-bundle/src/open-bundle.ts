import { CkptError } from "@ckpt/manifest";

import { indexPath, tablePaths } from "./checkpoint-files.js";
import type { CheckpointReader } from "./checkpoint-reader.js";
import { damaged } from "./damaged.js";
import { openV1Table } from "./open-v1-table.js";
import { openV2Bundle } from "./open-v2-bundle.js";
import { openFile, type RandomAccessFile } from "./random-access-file.js";

/**
 * Opens a TensorFlow checkpoint by its prefix: what `Saver.save` returned, without `.index` or `.data-...`. V2 if there
 * is an index, else V1: the file of that name, or the files of a name that ends in `-?????-of-00002`. Reads the list of
 * tensors only.
 *
 * @throws {CkptError} CHECKPOINT_NOT_FOUND; BUNDLE_INVALID; MODEL_UNREADABLE for one that is compressed, big-endian or of a
 *   newer format; FILE_SYSTEM.
 */
export async function openBundle(prefix: string): Promise<CheckpointReader> {
  const index = await openFile(indexPath(prefix));
  if (index !== undefined) return openV2Bundle(prefix, index);
  return openV1Table(prefix, await openTables(prefix));
}

async function openTables(prefix: string): Promise<readonly RandomAccessFile[]> {
  const files: RandomAccessFile[] = [];
  try {
    for (const path of tablePaths(prefix)) {
      const file = await openFile(path);
      if (file === undefined && files.length > 0)
        throw damaged(path, "no such file, though its name says there is one");
      if (file === undefined) break;
      files.push(file);
    }
    if (files.length === 0) throw new CkptError("CHECKPOINT_NOT_FOUND", { path: prefix, skipped: [] });
    return files;
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
}
