import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { recordingFileSystem } from "../test/processes/dying-file-system.js";
import { samples } from "../test/samples.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { checkpointManifestType } from "./checkpoint-manifest.js";
import { replaceFile, stageFolder } from "./commit.js";
import { digestBytes } from "./digest.js";
import { CkptError } from "./errors.js";
import type { FileEntry } from "./file-entry.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { readDocument } from "./read-document.js";
import { removeFolder } from "./remove-folder.js";
import { sweepLeftovers } from "./sweep-leftovers.js";
import { verifyFiles } from "./verify-files.js";

const makeFolder = useTemporaryFolder();
const withFiles = (files: readonly FileEntry[]): typeof samples.checkpoint => ({ ...samples.checkpoint, files });

async function commitText(target: string, text: string, isReplacing = false): Promise<void> {
  const staged = await stageFolder(target, { isReplacing });
  await staged.write("text.txt", text);
  await staged.commit("checkpoint.json", withFiles);
}

describe("stageFolder", () => {
  it("writes a file that is given in parts as one, also in several pieces", async () => {
    const target = join(makeFolder(), "parts");
    const staged = await stageFolder(target);
    const large = new Uint8Array(33 << 20).fill(7);
    const text = new TextEncoder().encode("text");
    await staged.write("large.bin", [text, new Uint8Array(), large, text]);
    await staged.write("small.bin", [text, text]);
    await staged.write("empty.bin", []);
    await staged.commit("checkpoint.json", withFiles);
    expect(readFileSync(join(target, "small.bin"), "utf8")).toBe("texttext");
    const { files } = await readDocument(checkpointManifestType, join(target, "checkpoint.json"));
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ["empty.bin", 0],
      ["large.bin", (33 << 20) + 8],
      ["small.bin", 8],
    ]);
    expect(files[1]?.sha256).toBe(digestBytes(Buffer.concat([text, large, text])));
    expect(await verifyFiles(target, files)).toEqual([]);
  });

  it("commits every file under its final name, listed with size and digest in the order of the paths", async () => {
    const target = join(makeFolder(), "checkpoints", "step-00000120");
    const staged = await stageFolder(target);
    await staged.write("weights.bin", new Uint8Array([1, 2, 3]));
    await Promise.all([staged.write("a/b/größe.txt", "größe"), staged.write("a/empty", "")]);
    expect(existsSync(target)).toBe(false);
    await staged.commit("checkpoint.json", withFiles);

    const { files } = await readDocument(checkpointManifestType, join(target, "checkpoint.json"));
    expect(files).toEqual([
      { path: "a/b/größe.txt", sizeBytes: 7, sha256: digestBytes("größe") },
      { path: "a/empty", sizeBytes: 0, sha256: digestBytes("") },
      { path: "weights.bin", sizeBytes: 3, sha256: digestBytes(new Uint8Array([1, 2, 3])) },
    ]);
    expect(await verifyFiles(target, files)).toEqual([]);
    expect(readdirSync(join(target, ".."))).toEqual(["step-00000120"]);
  });

  it("publishes a folder without a manifest in the same way, in the place of an older one", async () => {
    const target = join(makeFolder(), "target");
    const calls: (keyof FileSystem)[] = [];
    for (const text of ["one", "two"]) {
      const staged = await stageFolder(target, {
        fileSystem: recordingFileSystem(nodeFileSystem, calls),
        isReplacing: true,
      });
      await staged.write("a/text.txt", text);
      calls.length = 0;
      await staged.publish();
      expect(readFileSync(join(target, "a", "text.txt"), "utf8")).toBe(text);
      expect(readdirSync(join(target, ".."))).toEqual(["target"]);
    }
    expect(calls.slice(0, 5)).toEqual(["syncFolder", "syncFolder", "exists", "remove", "rename"]);
    const refused = await stageFolder(target);
    await refused.write("a/text.txt", "three");
    await caught("TARGET_EXISTS", () => refused.publish());
    expect(readdirSync(join(target, ".."))).toEqual(["target"]);
  });

  it("writes the manifest last, flushes each folder, then renames and flushes the parent", async () => {
    const calls: (keyof FileSystem)[] = [];
    const target = join(makeFolder(), "target");
    const staged = await stageFolder(target, { fileSystem: recordingFileSystem(nodeFileSystem, calls) });
    await staged.write("a/text.txt", "x");
    await staged.commit("checkpoint.json", withFiles);
    const staging = "remove makeFolder";
    const writing = "makeFolder writeFile";
    const committing = "writeFile syncFolder syncFolder exists rename syncFolder";
    expect(calls.join(" ")).toBe([staging, writing, committing].join(" "));
  });

  it("refuses a target that is there, keeps it, and leaves nothing staged", async () => {
    const parent = makeFolder();
    await commitText(join(parent, "target"), "old");
    const error = await caught("TARGET_EXISTS", () => commitText(join(parent, "target"), "new"));
    expect(error.details).toEqual({ path: join(parent, "target") });
    expect(readFileSync(join(parent, "target", "text.txt"), "utf8")).toBe("old");
    expect(readdirSync(parent)).toEqual(["target"]);
  });

  it("takes a target's place if asked to, whether or not there is one", async () => {
    const parent = makeFolder();
    await commitText(join(parent, "target"), "old", true);
    await commitText(join(parent, "target"), "new", true);
    expect(readFileSync(join(parent, "target", "text.txt"), "utf8")).toBe("new");
    expect(readdirSync(parent)).toEqual(["target"]);
  });

  it("removes an old content that a process left that died in the middle of replacing", async () => {
    const parent = makeFolder();
    await commitText(join(parent, ".target.replaced-1"), "old");
    await commitText(join(parent, ".other.replaced-1"), "old");
    await commitText(join(parent, "target"), "new", true);
    expect(readdirSync(parent)).toEqual([".other.replaced-1", "target"]);
  });

  it("removes what processes that died were writing for the same target, once the new folder is there", async () => {
    const parent = makeFolder();
    const { pid: dead } = spawnSync(process.execPath, ["--eval", ""]);
    const alive = `.target.staging-${process.ppid}`;
    const others = [alive, `.other.staging-${dead}`];
    for (const name of [`.target.staging-${dead}`, ...others]) mkdirSync(join(parent, name));
    await commitText(join(parent, "target"), "new", true);
    expect(readdirSync(parent)).toEqual([...others, "target"].toSorted());
  });

  it("removes what processes that died were writing for the same file, once it is replaced", async () => {
    const parent = makeFolder();
    const { pid: dead } = spawnSync(process.execPath, ["--eval", ""]);
    const alive = `.a.json.staging-${process.ppid}`;
    for (const name of [`.a.json.staging-${dead}`, alive]) writeFileSync(join(parent, name), "");
    await replaceFile(join(parent, "a.json"), "{}");
    expect(readdirSync(parent)).toEqual([alive, "a.json"]);
  });

  it("puts the old folder back when the new one cannot be moved into place", async () => {
    const parent = makeFolder();
    const target = join(parent, "target");
    await commitText(target, "old");
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      rename: async (from, to) => {
        if (from.includes(".staging-"))
          throw new CkptError("FILE_SYSTEM", { path: to, operation: "rename", reason: "" });
        await nodeFileSystem.rename(from, to);
      },
    };
    const staged = await stageFolder(target, { isReplacing: true, fileSystem });
    await caught("FILE_SYSTEM", () => staged.commit("checkpoint.json", withFiles));
    await staged.abandon();
    expect(readFileSync(join(target, "text.txt"), "utf8")).toBe("old");
    expect(readdirSync(parent)).toEqual(["target"]);
  });

  it("replaces a link to a folder by a folder, and leaves what the link leads to alone", async () => {
    const parent = makeFolder();
    await commitText(join(parent, "other"), "other");
    symlinkSync("other", join(parent, "target"));
    await caught("TARGET_EXISTS", () => commitText(join(parent, "target"), "new"));
    await commitText(join(parent, "target"), "new", true);
    expect(lstatSync(join(parent, "target")).isDirectory()).toBe(true);
    expect(readFileSync(join(parent, "other", "text.txt"), "utf8")).toBe("other");
    expect(readdirSync(parent)).toEqual(["other", "target"]);
  });

  it("commits through a link to the parent folder", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "linked"));
    await commitText(join(folder, "linked", "target"), "new");
    expect(readFileSync(join(folder, "real", "target", "text.txt"), "utf8")).toBe("new");
  });

  it("takes a target path that ends in a slash or in a dot", async () => {
    const parent = makeFolder();
    await commitText(`${parent}/first/`, "x");
    await commitText(`${parent}/second/.`, "x");
    expect(readdirSync(parent)).toEqual(["first", "second"]);
  });

  it.each(["../text.txt", "/text.txt", "a/../../text.txt", "..\\text.txt", ""])("refuses to write %j", async (name) => {
    const parent = makeFolder();
    const staged = await stageFolder(join(parent, "target"));
    const error = await caught("UNSAFE_PATH", () => staged.write(name, "x"));
    expect(error.details).toEqual({ path: join(parent, "target"), named: name });
    await caught("UNSAFE_PATH", () => staged.commit(name, withFiles));
    await staged.abandon();
    expect(readdirSync(parent)).toEqual([]);
  });

  it("refuses a second file of the same name and lists the first", async () => {
    const target = join(makeFolder(), "target");
    const staged = await stageFolder(target);
    await staged.write("text.txt", "first");
    await caught("FILE_SYSTEM", () => staged.write("text.txt", "second"));
    await staged.commit("checkpoint.json", withFiles);
    const { files } = await readDocument(checkpointManifestType, join(target, "checkpoint.json"));
    expect(files).toEqual([{ path: "text.txt", sizeBytes: 5, sha256: digestBytes("first") }]);
  });

  it("removes what an earlier process with the same id had staged", async () => {
    const target = join(makeFolder(), "target");
    const earlier = await stageFolder(target);
    await earlier.write("old.txt", "old");
    const staged = await stageFolder(target);
    await staged.commit("checkpoint.json", withFiles);
    expect(readdirSync(target)).toEqual(["checkpoint.json"]);
  });

  it("links a committed file instead of writing it again", async () => {
    const parent = makeFolder();
    await commitText(join(parent, "first"), "shared");
    const entry = { path: "linked/text.txt", sizeBytes: 6, sha256: digestBytes("shared") };
    const staged = await stageFolder(join(parent, "second"));
    expect(await staged.link(join(parent, "first", "text.txt"), entry)).toBe(true);
    await staged.commit("checkpoint.json", withFiles);
    await removeFolder(join(parent, "first"));
    expect(await verifyFiles(join(parent, "second"), [entry])).toEqual([]);
  });

  it("does not link a file that is not there or no longer what its manifest says", async () => {
    const parent = makeFolder();
    const path = join(parent, "text.txt");
    writeFileSync(path, "sharee");
    const entry = { path: "text.txt", sizeBytes: 6, sha256: digestBytes("shared") };
    const staged = await stageFolder(join(parent, "target"));
    expect(await staged.link(join(parent, "nowhere"), entry)).toBe(false);
    expect(await staged.link(path, entry)).toBe(false);
    await staged.write("text.txt", "shared");
    await staged.commit("checkpoint.json", withFiles);
    expect(await verifyFiles(join(parent, "target"), [entry])).toEqual([]);
  });

  it("refuses a manifest that could not be read back, and has not touched the target", async () => {
    const parent = makeFolder();
    const staged = await stageFolder(join(parent, "target"));
    const [parity] = samples.artifact.parity;
    const manifest = { ...samples.artifact, parity: [{ ...parity, maxAbsoluteError: NaN }] };
    await expect(staged.commit("artifact.json", () => manifest)).rejects.toThrow(TypeError);
    await staged.abandon();
    expect(readdirSync(parent)).toEqual([]);
  });
});

async function* noParts(): AsyncGenerator<Uint8Array> {}

async function* failingParts(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(9 << 20);
  throw new Error("no more");
}

describe("a file written in parts", () => {
  it("is the parts joined, in calls of 8 MB, and listed as one that was written whole", async () => {
    const [target, whole] = [join(makeFolder(), "parts"), join(makeFolder(), "whole")];
    const calls: (keyof FileSystem)[] = [];
    const staged = await stageFolder(target, { fileSystem: recordingFileSystem(nodeFileSystem, calls) });
    const part = new Uint8Array(3 << 20).fill(7);
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 7; count++) yield part;
    }
    const entry = await staged.write("deep/values.bin", parts());
    await staged.write("empty.bin", noParts());
    expect(calls.filter((name) => name === "writeFile" || name === "appendFile")).toHaveLength(4);
    await staged.commit("checkpoint.json", withFiles);
    const once = await stageFolder(whole);
    expect(await once.write("deep/values.bin", new Uint8Array(21 << 20).fill(7))).toEqual(entry);
    await once.abandon();
    const { files } = await readDocument(checkpointManifestType, join(target, "checkpoint.json"));
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ["deep/values.bin", 21 << 20],
      ["empty.bin", 0],
    ]);
    expect(await verifyFiles(target, files)).toEqual([]);
  });

  it("is not there when the source of the parts fails", async () => {
    const target = join(makeFolder(), "parts");
    const staged = await stageFolder(target);
    await expect(staged.write("values.bin", failingParts())).rejects.toThrow("no more");
    await staged.abandon();
    expect(readdirSync(join(target, ".."))).toEqual([]);
  });
});

describe("replaceFile", () => {
  it("creates and replaces a file, of which a reader that has it open keeps the old content", async () => {
    const path = join(makeFolder(), "run.json");
    await replaceFile(path, "first");
    const before = statSync(path).ino;
    await replaceFile(path, new TextEncoder().encode("second"));
    expect(readFileSync(path, "utf8")).toBe("second");
    expect(statSync(path).ino).not.toBe(before);
    expect(readdirSync(join(path, ".."))).toEqual(["run.json"]);
  });

  it("keeps the old content when the new one cannot be written", async () => {
    const path = join(makeFolder(), "run.json");
    await replaceFile(path, "first");
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      writeFile: async (at) => {
        writeFileSync(at, "sec");
        throw new CkptError("FILE_SYSTEM", { path: at, operation: "write", reason: "no space" });
      },
    };
    await caught("FILE_SYSTEM", () => replaceFile(path, "second", fileSystem));
    expect(readFileSync(path, "utf8")).toBe("first");
    await sweepLeftovers(join(path, ".."));
    expect(readdirSync(join(path, ".."))).toEqual(["run.json"]);
  });
});
