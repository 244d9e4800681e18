import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { nodeFileSystem } from "./file-system.js";

const makeFolder = useTemporaryFolder();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("nodeFileSystem", () => {
  it("creates folders with their parents, also by a relative path, and again", async () => {
    const folder = makeFolder();
    await nodeFileSystem.makeFolder(join(folder, "a", "b", "c"));
    await nodeFileSystem.makeFolder(`${folder}/a/b/../d/`);
    await nodeFileSystem.makeFolder(join(folder, "a"));
    expect(readdirSync(join(folder, "a"))).toEqual(["b", "d"]);
    expect(readdirSync(join(folder, "a", "b"))).toEqual(["c"]);
  });

  it("does not write over a file", async () => {
    const path = join(makeFolder(), "x");
    await nodeFileSystem.writeFile(path, bytes("first"));
    await caught("FILE_SYSTEM", () => nodeFileSystem.writeFile(path, bytes("second")));
    expect(readFileSync(path, "utf8")).toBe("first");
  });

  it("appends to a file and creates it", async () => {
    const path = join(makeFolder(), "x");
    await nodeFileSystem.appendFile(path, bytes("one\n"));
    await nodeFileSystem.appendFile(path, bytes("two\n"));
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  });

  it("does not link over a file", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, "a"), "a");
    writeFileSync(join(folder, "b"), "b");
    await caught("FILE_SYSTEM", () => nodeFileSystem.linkFile(join(folder, "a"), join(folder, "b")));
    expect(readFileSync(join(folder, "b"), "utf8")).toBe("b");
  });

  it("lists by code unit, and a folder that is not there as empty", async () => {
    const folder = makeFolder();
    for (const name of ["b", "a", "B", "é", "10", "9"]) writeFileSync(join(folder, name), "");
    expect(await nodeFileSystem.list(folder)).toEqual(["10", "9", "B", "a", "b", "é"]);
    expect(await nodeFileSystem.list(join(folder, "nowhere"))).toEqual([]);
  });

  it("removes what is not there without an error", async () => {
    await nodeFileSystem.remove(join(makeFolder(), "nowhere"));
  });

  it("removes a folder that is empty, and says that it has not where it is not", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "full"));
    writeFileSync(join(folder, "full", "x"), "");
    mkdirSync(join(folder, "empty"));
    const removed = [];
    for (const name of ["full", "empty", "nowhere"])
      removed.push(await nodeFileSystem.removeEmptyFolder(join(folder, name)));
    expect(removed).toEqual([false, true, true]);
    expect(readdirSync(folder)).toEqual(["full"]);
  });

  it("names the path and the operation when the system refuses, with its own error as the cause", async () => {
    const path = join(makeFolder(), "file");
    writeFileSync(path, "");
    const inside = join(path, "x");
    const missing = join(path, "..", "nowhere", "x");
    const refused = [
      ["create folder", inside, () => nodeFileSystem.makeFolder(inside)],
      ["write", inside, () => nodeFileSystem.writeFile(inside, bytes(""))],
      ["append", inside, () => nodeFileSystem.appendFile(inside, bytes(""))],
      ["link", inside, () => nodeFileSystem.linkFile(path, inside)],
      ["sync folder", missing, () => nodeFileSystem.syncFolder(missing)],
      ["rename", inside, () => nodeFileSystem.rename(path, inside)],
      ["remove folder", path, () => nodeFileSystem.removeEmptyFolder(path)],
      ["list", path, () => nodeFileSystem.list(path)],
    ] as const;
    for (const [operation, at, action] of refused) {
      const error = await caught("FILE_SYSTEM", action);
      expect(error.details).toMatchObject({ operation, path: at });
      expect(error.cause).toMatchObject({ code: expect.stringMatching(/^E[A-Z]+$/) });
      expect(error.message).toContain(at);
    }
  });

  it("does not follow links when it removes", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "kept"));
    writeFileSync(join(folder, "kept", "x"), "");
    mkdirSync(join(folder, "gone"));
    symlinkSync("../kept", join(folder, "gone", "link"));
    await nodeFileSystem.remove(join(folder, "gone"));
    expect(readdirSync(folder)).toEqual(["kept"]);
    expect(readdirSync(join(folder, "kept"))).toEqual(["x"]);
  });
});
