import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { samples } from "../test/samples.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { checkpointPath, pinCheckpoint, readPins, stageFolder, unpinCheckpoint } from "./index.js";

const makeFolder = useTemporaryFolder();

async function makeCheckpoint(run: string, step: number): Promise<void> {
  const staged = await stageFolder(checkpointPath(run, step));
  await staged.commit("checkpoint.json", () => ({ ...samples.checkpoint, step, files: [] }) as never);
}

describe("pinCheckpoint", () => {
  it("pins a checkpoint, once, until it is unpinned", async () => {
    const run = join(makeFolder(), "run");
    await makeCheckpoint(run, 3);
    expect(await readPins(run)).toEqual(new Set());
    await pinCheckpoint(run, 3);
    await pinCheckpoint(run, 3);
    expect(await readPins(run)).toEqual(new Set([3]));
    await unpinCheckpoint(run, 3);
    await unpinCheckpoint(run, 3);
    expect(await readPins(run)).toEqual(new Set());
  });

  it("refuses a step without a checkpoint, and makes nothing then", async () => {
    const run = join(makeFolder(), "run");
    mkdirSync(run);
    await caught("MANIFEST_MISSING", () => pinCheckpoint(run, 4));
    expect(readdirSync(run)).toEqual([]);
  });

  it("passes over what is not named like a step", async () => {
    const run = join(makeFolder(), "run");
    mkdirSync(join(run, "pins", "notes"), { recursive: true });
    expect(await readPins(run)).toEqual(new Set());
  });
});
