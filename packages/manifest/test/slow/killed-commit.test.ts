import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { fileEntriesSchema } from "../../src/file-entry.js";
import {
  type DocumentHeader,
  type DocumentType,
  type FileEntry,
  type FileSystem,
  leaseFolder,
  lockRun,
  nodeFileSystem,
  readDocument,
  removeUnleased,
  sweepLeftovers,
  verifyFiles,
} from "../../src/index.js";
import type { Death } from "../processes/dying-file-system.js";
import { recordingFileSystem } from "../processes/dying-file-system.js";
import { commitNote, operations } from "../processes/operations.js";
import { forEachOfTwo, useProcesses } from "../run-process.js";
import { useTemporaryFolder } from "../temporary-folder.js";

interface Note extends DocumentHeader<"checkpoint"> {
  readonly text: string;
  readonly files: readonly FileEntry[];
}

const noteType: DocumentType<Note> = {
  kind: "checkpoint",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("checkpoint"),
    schemaVersion: z.int(),
    text: z.string(),
    files: fileEntriesSchema,
  }),
};

const makeFolder = useTemporaryFolder();
const processes = useProcesses();

/** The text of the committed folder if it is whole, `absent` if there is none; a broken one fails the test. */
async function readNote(target: string): Promise<string> {
  if (!existsSync(target)) return "absent";
  const note = await readDocument(noteType, join(target, "checkpoint.json"));
  expect(await verifyFiles(target, note.files)).toEqual([]);
  expect(note.files.map((file) => file.path)).toEqual(["deep/er/copy.txt", "text.txt"]);
  return note.text;
}

function listFiles(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

interface Scene {
  readonly parent: string;
  readonly target: string;
}

async function setScene(parts: { readonly before: "absent" | "old"; readonly isFile?: boolean }): Promise<Scene> {
  const parent = join(makeFolder(), "parent");
  const target = join(parent, "target");
  mkdirSync(parent);
  if (parts.before === "old" && parts.isFile === true) writeFileSync(target, "old content");
  else if (parts.before === "old") await commitNote(target, "old", false, nodeFileSystem);
  return { parent, target };
}

/** Every place where the operation can die: before each call, within each write, and nowhere. */
async function listDeaths(operation: string, scene: Scene): Promise<readonly Death[]> {
  const calls: (keyof FileSystem)[] = [];
  await operations[operation]?.(scene.target, recordingFileSystem(nodeFileSystem, calls));
  const before = [...calls.keys(), calls.length].map((index) => ({ call: index + 1, isHalfway: false }));
  const within = before
    .filter(({ call }) => calls[call - 1] === "writeFile")
    .map(({ call }) => ({ call, isHalfway: true }));
  return [...within, ...before];
}

/** Runs the operation in a process that dies, at every place in turn, and hands what is left to `check`. */
async function dieEverywhere(
  operation: string,
  arrange: () => Promise<Scene>,
  check: (scene: Scene, isCompleted: boolean) => Promise<string>,
): Promise<ReadonlySet<string>> {
  const outcomes = new Set<string>();
  const deaths = await listDeaths(operation, await arrange());
  await forEachOfTwo(deaths, async (death) => {
    const scene = await arrange();
    const moment = death.isHalfway ? "halfway" : "before";
    const ended = await processes.run("die", [operation, scene.target, String(death.call), moment]);
    const isCompleted = death === deaths.at(-1);
    expect(ended, JSON.stringify(death)).toMatchObject(isCompleted ? { code: 0 } : { signal: "SIGKILL" });
    outcomes.add(await check(scene, isCompleted));
  });
  return outcomes;
}

// Some twenty processes each.
describe("a process killed at every call to the file system and within every write", { timeout: 120_000 }, () => {
  it("of a commit leaves nothing or a whole folder, and the sweep leaves nothing else", async () => {
    const outcomes = await dieEverywhere(
      "commit",
      () => setScene({ before: "absent" }),
      async ({ parent, target }, isCompleted) => {
        const found = await readNote(target);
        if (isCompleted) expect(found).toBe("new");
        await sweepLeftovers(parent);
        expect(readdirSync(parent)).toEqual(found === "absent" ? [] : ["target"]);
        expect(await readNote(target)).toBe(found);
        return found;
      },
    );
    expect(outcomes).toEqual(new Set(["absent", "new"]));
  });

  it("of a replacing commit leaves the old folder or the new one, once swept", async () => {
    const outcomes = await dieEverywhere(
      "replace",
      () => setScene({ before: "old" }),
      async ({ parent, target }, isCompleted) => {
        const found = await readNote(target);
        if (isCompleted) expect(found).toBe("new");
        await sweepLeftovers(parent);
        expect(readdirSync(parent)).toEqual(["target"]);
        const kept = await readNote(target);
        // Only between the two renames is there nothing, and then the old one is put back.
        expect(kept).toBe(found === "absent" ? "old" : found);
        return `${found}, then ${kept}`;
      },
    );
    expect(outcomes).toEqual(new Set(["old, then old", "absent, then old", "new, then new"]));
  });

  it("of a removal leaves the whole folder or nothing, once swept", async () => {
    const outcomes = await dieEverywhere(
      "remove",
      () => setScene({ before: "old" }),
      async ({ parent, target }, isCompleted) => {
        const found = await readNote(target);
        if (isCompleted) expect(found).toBe("absent");
        await sweepLeftovers(parent);
        expect(await readNote(target)).toBe(found);
        expect(readdirSync(parent)).toEqual(found === "absent" ? [] : ["target"]);
        return found;
      },
    );
    expect(outcomes).toEqual(new Set(["old", "absent"]));
  });

  it("of a removal never loses a file that is not ckpt's, and keeps nothing else once swept", async () => {
    const foreign = ["deep/er/mine.txt", "notes.txt"];
    const outcomes = await dieEverywhere(
      "remove",
      async () => {
        const scene = await setScene({ before: "old" });
        for (const path of foreign) writeFileSync(join(scene.target, path), path);
        return scene;
      },
      async ({ parent, target }, isCompleted) => {
        const found = await readNote(target);
        if (isCompleted) expect(found).toBe("absent");
        await sweepLeftovers(parent);
        expect(await readNote(target)).toBe(found);
        const kept = found === "absent" ? "target.rest" : "target";
        expect(readdirSync(parent)).toEqual([kept]);
        const owned = found === "absent" ? [] : ["checkpoint.json", "deep/er/copy.txt", "text.txt"];
        expect(listFiles(join(parent, kept))).toEqual([...foreign, ...owned].toSorted());
        for (const path of foreign) expect(readFileSync(join(parent, kept, path), "utf8")).toBe(path);
        return kept;
      },
    );
    expect(outcomes).toEqual(new Set(["target", "target.rest"]));
  });

  it("of a sweep of such a removal does not either", async () => {
    const outcomes = await dieEverywhere(
      "sweep",
      async () => {
        const scene = await setScene({ before: "absent" });
        const trash = join(scene.parent, ".target.trash-1");
        await commitNote(trash, "old", false, nodeFileSystem);
        writeFileSync(join(trash, "notes.txt"), "mine");
        return scene;
      },
      async ({ parent }) => {
        const found = readdirSync(parent).join();
        await sweepLeftovers(parent);
        expect(readdirSync(parent)).toEqual(["target.rest"]);
        expect(listFiles(join(parent, "target.rest"))).toEqual(["notes.txt"]);
        return found;
      },
    );
    expect(outcomes).toEqual(new Set([".target.trash-1", "target.rest"]));
  });

  it("of a removal by who has the lock keeps no reader from what it leaves, and nobody from removing it", async () => {
    const outcomes = await dieEverywhere(
      "removeUnleased",
      async () => {
        const scene = await setScene({ before: "old" });
        writeFileSync(join(scene.parent, ".target.lease-1-1"), "of nobody");
        return scene;
      },
      async ({ parent, target }) => {
        const found = await readNote(target);
        if (found === "old") await (await leaseFolder(target)).release();
        else await expect(leaseFolder(target)).rejects.toMatchObject({ code: "MANIFEST_MISSING" });
        const lock = await lockRun(parent);
        await sweepLeftovers(parent);
        expect(readdirSync(parent)).toEqual(found === "old" ? [".lock", "target"] : [".lock"]);
        if (found === "old") expect(await removeUnleased(target, parent)).toEqual({ kind: "removed" });
        await lock.release();
        expect(readdirSync(parent)).toEqual([]);
        return found;
      },
    );
    expect(outcomes).toEqual(new Set(["old", "absent"]));
  });

  it("of a replaced file leaves the old content or the new", async () => {
    const outcomes = await dieEverywhere(
      "replaceFile",
      () => setScene({ before: "old", isFile: true }),
      async ({ parent, target }) => {
        const found = readFileSync(target, "utf8");
        await sweepLeftovers(parent);
        expect(readdirSync(parent)).toEqual(["target"]);
        return found;
      },
    );
    expect(outcomes).toEqual(new Set(["old content", "new content"]));
  });

  it("of a sweep leaves what the next sweep completes", async () => {
    const outcomes = await dieEverywhere(
      "sweep",
      async () => {
        const scene = await setScene({ before: "absent" });
        await commitNote(join(scene.parent, ".target.replaced-1"), "old", false, nodeFileSystem);
        await commitNote(join(scene.parent, ".target.staging-1"), "new", false, nodeFileSystem);
        await commitNote(join(scene.parent, ".other.trash-1"), "new", false, nodeFileSystem);
        return scene;
      },
      async ({ parent, target }) => {
        const found = await readNote(target);
        await sweepLeftovers(parent);
        expect(await readNote(target)).toBe("old");
        expect(readdirSync(parent)).toEqual(["target"]);
        return found;
      },
    );
    expect(outcomes).toEqual(new Set(["absent", "old"]));
  });
});
