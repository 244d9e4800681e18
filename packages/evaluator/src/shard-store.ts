import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { type FileSystem, piecesPath, replaceFile } from "@ckpt/manifest";

import { type Claim, claimWork } from "./claim.js";
import type { ShardRows } from "./score-shard.js";
import { decodeShard, encodeShard, type StoredShard } from "./shard-file.js";

/** The finished shards of one evaluation that is not committed yet, which all processes share. */
export interface ShardStore {
  /** Numbers of the shards that are there, damaged or not. */
  list(): Promise<ReadonlySet<number>>;
  /** Claims a shard, or with `commit` putting all together; `undefined` while another process has it. */
  claim(work: number | "commit"): Promise<Claim | undefined>;
  write(shard: number, rows: ShardRows): Promise<void>;
  /** `undefined` when it is not there or any byte of it is not as written. */
  read(shard: number): Promise<StoredShard | undefined>;
  remove(shard: number): Promise<void>;
  /** Removes all of it, which is another's too: only after the commit. */
  removeAll(): Promise<void>;
  /** Removes the folder if nothing is in it. */
  removeIfEmpty(): Promise<void>;
}

const nameOf = (shard: number): string => `${String(shard).padStart(6, "0")}.shard`;
const shardName = /^(\d{6,})\.shard$/;

/**
 * The shards beside an evaluation's folder, in `.<name>.pieces`, which is made when it is needed.
 *
 * @param key - Digest of all that decides the predictions. A shard of another one counts as damaged.
 */
export function openShardStore(evaluation: string, key: string, fileSystem: FileSystem): ShardStore {
  const folder = piecesPath(evaluation);
  return {
    list: async () =>
      new Set((await fileSystem.list(folder)).flatMap((name) => shardName.exec(name)?.[1] ?? []).map(Number)),
    claim: async (work) => {
      await fileSystem.makeFolder(folder);
      return claimWork(join(folder, `${work === "commit" ? work : nameOf(work)}.claim`), fileSystem);
    },
    write: (shard, rows) => replaceFile(join(folder, nameOf(shard)), encodeShard(key, shard, rows), fileSystem),
    read: async (shard) => {
      try {
        return decodeShard(key, shard, await readFile(join(folder, nameOf(shard))));
      } catch {
        return undefined;
      }
    },
    remove: (shard) => fileSystem.remove(join(folder, nameOf(shard))),
    removeAll: () => fileSystem.remove(folder),
    removeIfEmpty: async () => void (await fileSystem.removeEmptyFolder(folder)),
  };
}
