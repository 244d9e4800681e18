import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { useTemporaryFolder } from "../test/temporary-folder.js";
import { digestBytes } from "./digest.js";
import type { FileEntry } from "./file-entry.js";
import { verifyFiles } from "./verify-files.js";

const makeFolder = useTemporaryFolder();
const entries: readonly FileEntry[] = [
  { path: "a/b/weights.bin", sizeBytes: 4, sha256: digestBytes("good") },
  { path: "model.json", sizeBytes: 2, sha256: digestBytes("{}") },
];

function writeWhole(): string {
  const folder = join(makeFolder(), "step");
  mkdirSync(join(folder, "a/b"), { recursive: true });
  writeFileSync(join(folder, "a/b/weights.bin"), "good");
  writeFileSync(join(folder, "model.json"), "{}");
  return folder;
}

async function codes(folder: string, files: readonly FileEntry[] = entries): Promise<readonly string[]> {
  return (await verifyFiles(folder, files)).map((problem) => problem.code);
}

describe("verifyFiles", () => {
  it("finds nothing wrong where nothing is, and passes over files that are not listed", async () => {
    const folder = writeWhole();
    writeFileSync(join(folder, "a/notes.txt"), "mine");
    expect(await verifyFiles(folder, entries)).toEqual([]);
  });

  it("follows a link to the folder itself", async () => {
    const folder = writeWhole();
    symlinkSync(folder, `${folder}-best`);
    expect(await verifyFiles(`${folder}-best`, entries)).toEqual([]);
  });

  it.each<[string, string, (folder: string, path: string) => void]>([
    ["is not there", "FILE_MISSING", (_folder, path) => rmSync(path)],
    ["has its folder missing", "FILE_MISSING", (folder) => rmSync(join(folder, "a"), { recursive: true })],
    ["has a file for a folder", "FILE_MISSING", (folder) => replace(join(folder, "a"), "")],
    ["is a folder", "FILE_MISSING", (_folder, path) => (rmSync(path), mkdirSync(path))],
    ["is a named pipe, which nobody writes to", "FILE_MISSING", (_folder, path) => makePipe(path)],
    ["is one byte short", "SIZE_MISMATCH", (_folder, path) => truncateSync(path, 3)],
    ["is empty", "SIZE_MISMATCH", (_folder, path) => truncateSync(path, 0)],
    ["is one byte longer", "SIZE_MISMATCH", (_folder, path) => writeFileSync(path, "good\n")],
    ["has another byte", "DIGEST_MISMATCH", (_folder, path) => writeFileSync(path, "goof")],
    ["is a link out of the folder", "UNSAFE_PATH", (folder, path) => linkTo(path, join(folder, "../outside"), "good")],
    ["is a link inside the folder", "UNSAFE_PATH", (folder, path) => linkTo(path, join(folder, "a/copy"), "good")],
    ["is a link to nowhere", "UNSAFE_PATH", (_folder, path) => (rmSync(path), symlinkSync("nowhere", path))],
    ["is a link to itself", "UNSAFE_PATH", (_folder, path) => (rmSync(path), symlinkSync(path, path))],
    ["is in a folder that is a link out", "UNSAFE_PATH", linkFolderOut],
  ])("names a file that %s", async (_name, code, damage) => {
    const folder = writeWhole();
    const path = join(folder, "a/b/weights.bin");
    damage(folder, path);
    const problems = await verifyFiles(folder, entries);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]?.message).toContain("a/b/weights.bin");
  });

  it("gives the sizes and digests it expected and found", async () => {
    const folder = writeWhole();
    truncateSync(join(folder, "model.json"), 1);
    writeFileSync(join(folder, "a/b/weights.bin"), "goof");
    expect((await verifyFiles(folder, entries)).map((problem) => problem.details)).toEqual([
      { path: join(folder, "a/b/weights.bin"), expected: digestBytes("good"), found: digestBytes("goof") },
      { path: join(folder, "model.json"), expectedBytes: 2, foundBytes: 1 },
    ]);
  });

  it("lists every problem, in the order of the entries", async () => {
    const folder = writeWhole();
    rmSync(join(folder, "a"), { recursive: true });
    writeFileSync(join(folder, "model.json"), "[]");
    expect(await codes(folder)).toEqual(["FILE_MISSING", "DIGEST_MISMATCH"]);
    expect(await codes(folder, entries.toReversed())).toEqual(["DIGEST_MISMATCH", "FILE_MISSING"]);
  });

  it.each(["../outside", "a/../../outside", "/etc/hostname", ""])(
    "never looks at %j, even if the list was not checked before",
    async (path) => {
      const folder = writeWhole();
      writeFileSync(join(folder, "../outside"), "good");
      expect(await codes(folder, [{ path, sizeBytes: 4, sha256: digestBytes("good") }])).toEqual(["UNSAFE_PATH"]);
    },
  );

  it("says when a name is too long to be a file's", async () => {
    const entry = { path: "x".repeat(300), sizeBytes: 0, sha256: digestBytes("") };
    expect(await codes(writeWhole(), [entry])).toEqual(["FILE_SYSTEM"]);
  });
});

function replace(folder: string, content: string): void {
  rmSync(folder, { recursive: true });
  writeFileSync(folder, content);
}

function makePipe(path: string): void {
  rmSync(path);
  execFileSync("mkfifo", [path]);
}

function linkTo(path: string, other: string, content: string): void {
  writeFileSync(other, content);
  rmSync(path);
  symlinkSync(other, path);
}

function linkFolderOut(folder: string): void {
  const outside = join(folder, "../outside-folder");
  mkdirSync(outside);
  writeFileSync(join(outside, "weights.bin"), "good");
  rmSync(join(folder, "a/b"), { recursive: true });
  symlinkSync(outside, join(folder, "a/b"));
}
