import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { digestBytes } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { listCheckpoints, train } from "../../src/index.js";
import { makeTestFolder } from "../test-folder.js";
import { readTree, trainUntil } from "./damaged-run.js";
import { tinyRun } from "./programs/tiny-run.js";

/** Writes a document as a later version would: sealed as always, with a version this one does not know. */
async function makeNewer(path: string): Promise<void> {
  const { digest: _digest, ...content } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const newer = { ...content, schemaVersion: 7 };
  await writeFile(path, `${JSON.stringify({ ...newer, digest: digestBytes(JSON.stringify(newer)) }, null, 2)}\n`);
}

describe("a file of a newer version", () => {
  it.each(["run.json", "checkpoints/step-00000004/checkpoint.json"])(
    "%s is an error that names both versions, and everything is left as it is",
    async (file) => {
      const run = join(await makeTestFolder(), "run");
      await trainUntil(run, 5);
      // A damaged checkpoint besides is not put aside either.
      await rm(join(run, "checkpoints/step-00000002/weights.bin"));
      await makeNewer(join(run, file));
      const before = await readTree(run);
      await expect(train(tinyRun(run))).rejects.toMatchObject({
        code: "SCHEMA_TOO_NEW",
        message: `${join(run, file)}: schema version 7, this ckpt reads up to 1`,
        remedy: "Update ckpt to the version that wrote it.",
      });
      expect(await readTree(run)).toEqual(before);
      expect((await listCheckpoints(run)).checkpoints.length).toBe(file === "run.json" ? 2 : 1);
    },
  );
});
