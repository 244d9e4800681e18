import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { samples } from "../test/samples.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { stageFolder } from "./commit.js";
import { serializeDocument } from "./document.js";
import { removeFolder } from "./remove-folder.js";

const makeFolder = useTemporaryFolder();

async function commit(target: string, kind: "checkpoint" | "artifact" | "evaluation" = "checkpoint"): Promise<void> {
  const staged = await stageFolder(target);
  await staged.write("a/b/text.txt", "text");
  await staged.commit(`${kind}.json`, (files) => ({ ...samples[kind], files }));
}

function write(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "mine");
}

describe("removeFolder", () => {
  it.each(["checkpoint", "artifact", "evaluation"] as const)("removes %s folder and nothing else", async (kind) => {
    const parent = makeFolder();
    await commit(join(parent, "target"), kind);
    await commit(join(parent, "other"), kind);
    expect(await removeFolder(`${join(parent, "target")}/`)).toEqual({});
    expect(readdirSync(parent)).toEqual(["other"]);
  });

  it("removes an evaluation's metrics with it, also one that was not yet in place, and no other folder's", async () => {
    const parent = makeFolder();
    for (const kind of ["evaluation", "checkpoint"] as const) {
      const target = join(parent, kind);
      await commit(target, kind);
      for (const name of ["metrics.json", ".metrics.json.staging-1"]) write(join(target, name));
      await removeFolder(target);
    }
    expect(readdirSync(parent)).toEqual(["checkpoint.rest"]);
    expect(readdirSync(join(parent, "checkpoint.rest"))).toEqual([".metrics.json.staging-1", "metrics.json"]);
  });

  it("keeps what the manifest does not list, each time under a name of its own", async () => {
    const parent = makeFolder();
    const target = join(parent, "target");
    for (const rest of ["target.rest", "target.rest-2"]) {
      await commit(target);
      write(join(target, "notes.txt"));
      write(join(target, "a/c/d.txt"));
      expect(await removeFolder(target)).toEqual({ rest: join(parent, rest) });
      expect(readdirSync(join(parent, rest))).toEqual(["a", "notes.txt"]);
      expect(readdirSync(join(parent, rest, "a"), { recursive: true })).toEqual(["c", "c/d.txt"]);
    }
    expect(readdirSync(parent)).toEqual(["target.rest", "target.rest-2"]);
  });

  it("keeps what stands in the place of a listed file and is none, and what a link leads to", async () => {
    const parent = makeFolder();
    const target = join(parent, "target");
    const outside = join(parent, "outside");
    write(join(outside, "b", "text.txt"));
    mkdirSync(target);
    symlinkSync("../outside", join(target, "a"));
    write(join(target, "weights.bin", "mine.txt"));
    const files = [...samples.checkpoint.files, { ...samples.checkpoint.files[0], path: "a/b/text.txt" }];
    writeFileSync(join(target, "checkpoint.json"), serializeDocument({ ...samples.checkpoint, files } as never));
    await removeFolder(target);
    const rest = join(parent, "target.rest");
    expect(readdirSync(rest)).toEqual(["a", "weights.bin"]);
    expect(readFileSync(join(rest, "weights.bin", "mine.txt"), "utf8")).toBe("mine");
    expect(readFileSync(join(outside, "b", "text.txt"), "utf8")).toBe("mine");
  });

  it("keeps all of a folder whose manifest is damaged or missing", async () => {
    const parent = makeFolder();
    await commit(join(parent, "damaged"));
    truncateSync(join(parent, "damaged", "checkpoint.json"), 100);
    write(join(parent, "missing", "weights.bin"));
    for (const name of ["damaged", "missing"]) await removeFolder(join(parent, name));
    expect(readdirSync(parent)).toEqual(["damaged.rest", "missing.rest"]);
    expect(readdirSync(join(parent, "damaged.rest"))).toEqual(["a", "checkpoint.json"]);
    expect(existsSync(join(parent, "damaged.rest", "a/b/text.txt"))).toBe(true);
  });

  it("removes a folder with nothing in it, or nothing but a damaged manifest", async () => {
    const parent = makeFolder();
    mkdirSync(join(parent, "empty", "deep"), { recursive: true });
    write(join(parent, "damaged", "artifact.json"));
    for (const name of ["empty", "damaged"]) expect(await removeFolder(join(parent, name))).toEqual({});
    expect(readdirSync(parent)).toEqual([]);
  });

  it("removes the files of a manifest that a newer ckpt wrote", async () => {
    const parent = makeFolder();
    const staged = await stageFolder(join(parent, "target"));
    await staged.write("text.txt", "text");
    await staged.commit("checkpoint.json", (files) => ({ kind: "checkpoint", schemaVersion: 99, files }) as never);
    expect(await removeFolder(join(parent, "target"))).toEqual({});
    expect(readdirSync(parent)).toEqual([]);
  });

  it("removes a link and not what it leads to, and keeps a file of that name", async () => {
    const parent = makeFolder();
    await commit(join(parent, "other"));
    symlinkSync("other", join(parent, "target"));
    await removeFolder(join(parent, "target"));
    expect(readdirSync(join(parent, "other"))).toEqual(["a", "checkpoint.json"]);
    expect(readdirSync(parent)).toEqual(["other"]);
    write(join(parent, "file"));
    expect(await removeFolder(join(parent, "file"))).toEqual({ rest: join(parent, "file.rest") });
  });

  it("gives the rest of a folder with a dot in front a name that is seen", async () => {
    const parent = makeFolder();
    write(join(parent, ".step-00000001.damaged", "mine.txt"));
    await removeFolder(join(parent, ".step-00000001.damaged"));
    expect(readdirSync(parent)).toEqual(["step-00000001.damaged.rest"]);
  });

  it("says so when there is none", async () => {
    await caught("FILE_SYSTEM", () => removeFolder(join(makeFolder(), "target")));
  });

  it("is not stopped by trash that an earlier process with the same id left, and keeps the rest of it", async () => {
    const parent = makeFolder();
    const trash = join(parent, `.target.trash-${process.pid}`);
    await commit(trash);
    write(join(trash, "notes.txt"));
    await commit(join(parent, "target"));
    await removeFolder(join(parent, "target"));
    expect(readdirSync(parent)).toEqual(["target.rest"]);
  });
});
