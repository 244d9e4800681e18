import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { digestBytes, nodeFileSystem, type StagedFolder, stageFolder } from "@ckpt/manifest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type EarlierArtifact, writeOrLink } from "./earlier-artifact.js";

const bytes = new Uint8Array(700_000).map((_, at) => at % 251);
let folder: string;
let earlier: EarlierArtifact;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-earlier-"));
  await writeFile(join(folder, "weights.bin"), bytes);
  earlier = {
    path: folder,
    files: [{ path: "weights.bin", sizeBytes: bytes.byteLength, sha256: digestBytes(bytes) }],
  };
});

afterEach(() => rm(folder, { recursive: true }));

async function write(staged: StagedFolder, data: Uint8Array): Promise<{ isLinked: boolean; isRight: boolean }> {
  const [existing, path] = [join(folder, "weights.bin"), join(staged.path, "weights.bin")];
  await writeOrLink(staged, { path: "weights.bin", data }, earlier);
  return {
    isLinked: (await stat(path)).ino === (await stat(existing)).ino,
    isRight: (await readFile(path)).equals(data),
  };
}

describe("writeOrLink", () => {
  it("gives equal bytes a second name", async () => {
    const staged = await stageFolder(join(folder, "artifact"));
    expect(await write(staged, bytes.slice())).toEqual({ isLinked: true, isRight: true });
  });

  it.each([0, 300_000, 699_999])("writes bytes that differ at %i", async (at) => {
    const staged = await stageFolder(join(folder, "artifact"));
    const other = bytes.slice();
    other[at] = 255;
    expect(await write(staged, other)).toEqual({ isLinked: false, isRight: true });
  });

  it("writes where the earlier file has been damaged, even if the damage is what is to be written", async () => {
    const staged = await stageFolder(join(folder, "artifact"));
    const damaged = bytes.slice();
    damaged[5] = 255;
    await writeFile(join(folder, "weights.bin"), damaged);
    expect(await write(staged, bytes)).toEqual({ isLinked: false, isRight: true });
    await staged.abandon();
    const again = await stageFolder(join(folder, "artifact"));
    expect(await write(again, damaged)).toEqual({ isLinked: false, isRight: true });
  });

  it("writes where the file system does not give second names", async () => {
    const staged = await stageFolder(join(folder, "artifact"), {
      fileSystem: {
        ...nodeFileSystem,
        linkFile: () => Promise.reject(Object.assign(new Error("cross-device link"), { code: "EXDEV" })),
      },
    });
    expect(await write(staged, bytes)).toEqual({ isLinked: false, isRight: true });
  });

  it("writes where the earlier file is gone", async () => {
    const staged = await stageFolder(join(folder, "artifact"));
    await rm(join(folder, "weights.bin"));
    await writeOrLink(staged, { path: "weights.bin", data: bytes }, earlier);
    expect((await readFile(join(staged.path, "weights.bin"))).equals(bytes)).toBe(true);
  });
});
