import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { fixture } from "../test/expected-tensors.js";
import { nameOfPrefix } from "./checkpoint-name.js";
import { findCheckpoint, listCheckpoints } from "./list-checkpoints.js";
import { openBundle } from "./open-bundle.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-list-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A copy of the folder with three checkpoints, and another `checkpoint` file in it. */
async function copyWith(state: string): Promise<string> {
  const save = join(folder, "save");
  await cp(fixture("several"), save, { recursive: true });
  await writeFile(join(save, "checkpoint"), state);
  return save;
}

describe("nameOfPrefix", () => {
  it.each([
    ["save/-mlp3-20000", { name: "-mlp3-20000", step: 20_000 }],
    ["model.ckpt-12", { name: "model.ckpt-12", step: 12 }],
    ["/a-5/model.ckpt", { name: "model.ckpt" }],
    [String.raw`C:\save\ckpt-0`, { name: "ckpt-0", step: 0 }],
    ["model2", { name: "model2" }],
    ["model-7-best", { name: "model-7-best" }],
    ["model.ckpt-10-?????-of-00002", { name: "model.ckpt-10", step: 10 }],
    ["ckpt-99999999999999999999", { name: "ckpt-99999999999999999999" }],
  ])("%s", (prefix, expected) => {
    expect(nameOfPrefix(prefix)).toEqual(expected);
  });
});

describe("listCheckpoints", () => {
  it("lists what the checkpoint file names, in its order", async () => {
    const { checkpoints, missing } = await listCheckpoints(fixture("several"));
    expect(checkpoints).toEqual(
      [20_000, 30_000, 40_000].map((step) => ({
        name: `-mlp3-${step}`,
        step,
        prefix: fixture(`several/-mlp3-${step}`),
        files: [`-mlp3-${step}.data-00000-of-00001`, `-mlp3-${step}.index`],
        sizeBytes: 146,
      })),
    );
    expect(missing).toEqual([]);
  });

  it("finds one by its prefix, and none where there is none", async () => {
    const { checkpoints } = await listCheckpoints(fixture("several"));
    expect(await findCheckpoint(fixture("several/-mlp3-30000"))).toEqual(checkpoints[1]);
    expect(await findCheckpoint(fixture("several/-mlp3"))).toBeUndefined();
    expect(await findCheckpoint(fixture("nowhere/-mlp3"))).toBeUndefined();
  });

  it.each(["v1", "v1-sharded", "objects", "sharded"])("gives prefixes that open: %s", async (name) => {
    const { checkpoints } = await listCheckpoints(fixture(name));
    for (const { prefix, sizeBytes } of checkpoints) {
      await (await openBundle(prefix)).close();
      expect(sizeBytes).toBeGreaterThan(0);
    }
    expect(checkpoints.at(-1)?.step).toBe(name === "objects" ? 3 : 10);
  });

  it("finds the files of a folder that was moved", async () => {
    const save = await copyWith(
      String.raw`model_checkpoint_path: "/gone/save/-mlp3-40000"
      all_model_checkpoint_paths: "C:\\gone\\-mlp3-20000" all_model_checkpoint_paths: "/gone/save/-mlp3-10000"`,
    );
    const { checkpoints, missing } = await listCheckpoints(save);
    expect(checkpoints.map(({ prefix }) => prefix)).toEqual([join(save, "-mlp3-20000"), join(save, "-mlp3-40000")]);
    expect(missing).toEqual(["/gone/save/-mlp3-10000"]);
  });

  it("follows an absolute path that has no files beside it, and prefers those that are", async () => {
    const state = [20_000, 40_000].map((step) => `all_model_checkpoint_paths: "${fixture(`several/-mlp3-${step}`)}"\n`);
    const save = await copyWith(`model_checkpoint_path: "${fixture("several/-mlp3-40000")}"\n${state.join("")}`);
    await rm(join(save, "-mlp3-20000.index"));
    await rm(join(save, "-mlp3-20000.data-00000-of-00001"));
    const { checkpoints } = await listCheckpoints(save);
    expect(checkpoints.map(({ prefix }) => prefix)).toEqual([
      fixture("several/-mlp3-20000"),
      join(save, "-mlp3-40000"),
    ]);
  });

  it("lists every index, by step, where there is no checkpoint file", async () => {
    const save = join(folder, "save");
    await cp(fixture("several"), save, { recursive: true });
    await cp(join(save, "-mlp3-20000.index"), join(save, "-mlp3-100000.index"));
    await writeFile(join(save, "-mlp3-100000.meta"), "");
    await rm(join(save, "checkpoint"));
    const { checkpoints } = await listCheckpoints(save);
    expect(checkpoints.map(({ step }) => step)).toEqual([20_000, 30_000, 40_000, 100_000]);
    expect(checkpoints.map(({ metaPath }) => metaPath)).toEqual([
      undefined,
      undefined,
      undefined,
      join(save, "-mlp3-100000.meta"),
    ]);
  });

  it.each(["../-mlp3-20000", "a/../../x", "a/./b", "", "..", "nul", String.raw`..\\x`])(
    "refuses a path out of the folder: %s",
    async (path) => {
      const save = await copyWith(`model_checkpoint_path: "${path}"`);
      await expect(listCheckpoints(save)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    },
  );

  it("says which are missing when all are", async () => {
    const save = await copyWith('model_checkpoint_path: "other-1"');
    await expect(listCheckpoints(save)).rejects.toMatchObject({
      code: "CHECKPOINT_NOT_FOUND",
      details: { skipped: ["other-1: no files"] },
    });
    await expect(listCheckpoints(join(folder, "none"))).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    await mkdir(join(folder, "empty"));
    await expect(listCheckpoints(join(folder, "empty"))).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  });

  it("refuses a checkpoint file that is a folder, a device or not text", async () => {
    const save = await copyWith("\0\u0001");
    await expect(listCheckpoints(save)).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
    await rm(join(save, "checkpoint"));
    await symlink("/dev/zero", join(save, "checkpoint"));
    await expect(listCheckpoints(save)).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
    await rm(join(save, "checkpoint"));
    await mkdir(join(save, "checkpoint"));
    await expect(listCheckpoints(save)).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  });
});
