import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type FileSystem, isCkptError, nodeFileSystem } from "@ckpt/manifest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { listCheckpoints, openBundle, recordCheckpoint, type TensorValue, writeBundle } from "../src/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-interrupted-"));
});
afterAll(() => rm(folder, { recursive: true }));

class Died extends Error {}

/** A file system on which the process dies at its `last` call that changes anything: before it, or in the midst of it. */
function dyingAt(last: number, isInMidst: boolean): FileSystem {
  let count = 0;
  const die = async (finish?: () => Promise<unknown>): Promise<void> => {
    if (count++ < last) return;
    if (isInMidst && count === last + 1) await finish?.();
    throw new Died();
  };
  return {
    ...nodeFileSystem,
    writeFile: async (path, data) => {
      await die(() => nodeFileSystem.writeFile(path, data.subarray(0, data.length >> 1)));
      await nodeFileSystem.writeFile(path, data);
    },
    rename: async (from, to) => {
      await die(() => nodeFileSystem.rename(from, to));
      await nodeFileSystem.rename(from, to);
    },
    makeFolder: async (path) => {
      await die();
      await nodeFileSystem.makeFolder(path);
    },
    syncFolder: async (path) => {
      await die();
      await nodeFileSystem.syncFolder(path);
    },
  };
}

const values = Float32Array.from({ length: 1000 }, (_, index) => index / 3);
const tensors = new Map<string, TensorValue>([["kernel", { dtype: "float32", shape: [10, 100], values }]]);

describe("a process that dies while it writes", () => {
  it.each([false, true])(
    "leaves a whole checkpoint or none, and then a list of whole ones (in the midst: %s)",
    async (isInMidst) => {
      let isDone = false;
      const outcomes: string[] = [];
      for (let last = 0; !isDone; last++) {
        const save = join(folder, `${isInMidst}-${last}`);
        await writeBundle(join(save, "model-1"), tensors);
        await recordCheckpoint(join(save, "model-1"));
        const prefix = join(save, "model-2");
        const fileSystem = dyingAt(last, isInMidst);
        try {
          await writeBundle(prefix, tensors, { fileSystem });
          await recordCheckpoint(prefix, { fileSystem });
          isDone = true;
        } catch (error) {
          if (!(error instanceof Died)) throw error;
        }

        const { checkpoints, missing } = await listCheckpoints(save);
        expect(missing).toEqual([]);
        for (const { prefix } of checkpoints) await expectWhole(prefix);
        const isThere = await expectWhole(prefix);
        outcomes.push(`${checkpoints.length} listed, ${isThere ? "whole" : "not there"}`);

        // Written again, in the name of the process that died, it is what it would have been.
        if (!isThere) await writeBundle(prefix, tensors);
        await recordCheckpoint(prefix);
        expect((await listCheckpoints(save)).checkpoints).toHaveLength(2);
        expect((await readdir(save)).filter((name) => name.startsWith("."))).toEqual([]);
      }
      expect(new Set(outcomes)).toEqual(new Set(["1 listed, not there", "1 listed, whole", "2 listed, whole"]));
    },
  );
});

/** Whether the checkpoint is there; if so, it has to be right. */
async function expectWhole(prefix: string): Promise<boolean> {
  try {
    const bundle = await openBundle(prefix);
    expect((await bundle.read("kernel")).values).toEqual(values);
    await bundle.close();
    return true;
  } catch (error) {
    if (isCkptError(error, "CHECKPOINT_NOT_FOUND")) return false;
    throw error;
  }
}
