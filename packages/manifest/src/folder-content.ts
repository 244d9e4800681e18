import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { CkptError, isCkptError } from "./errors.js";
import { fileEntriesSchema, type FileEntry } from "./file-entry.js";
import { manifestNames } from "./layout.js";
import { readDocument } from "./read-document.js";

/** What is in a folder, by path within it with `/` between parts. */
export interface FolderContent {
  /** Regular files that a manifest of the folder lists, without the manifests. */
  readonly listed: readonly string[];
  /** Manifests that could be read, and what is sealed by itself beside them. */
  readonly manifests: readonly string[];
  /** Everything else but folders: of another origin, as far as can be known. */
  readonly others: readonly string[];
  /** Folders, each after those in it. */
  readonly folders: readonly string[];
}

type Manifest = DocumentHeader<string> & { readonly files: readonly FileEntry[] };

/**
 * Tells what in a folder is ckpt's own by its manifests, also by those of a newer ckpt: a list of files is the same in
 * every version. A damaged manifest owns nothing. Links are not followed and are never owned.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function readFolderContent(folder: string): Promise<FolderContent> {
  const { files, links, folders } = await walk(folder);
  const listed = new Set<string>();
  const manifests: string[] = [];
  for (const kind of ["checkpoint", "artifact", "evaluation"] as const) {
    if (!files.includes(manifestNames[kind])) continue;
    const manifest = await readManifest(kind, folder);
    if (manifest === undefined) continue;
    for (const entry of manifest.files) listed.add(entry.path);
    if (kind === "evaluation") manifests.push(...files.filter(isMetrics));
    manifests.push(manifestNames[kind]);
  }
  const isKnown = (path: string): boolean => listed.has(path) || manifests.includes(path);
  return {
    listed: files.filter((path) => listed.has(path) && !manifests.includes(path)),
    manifests,
    others: [...files.filter((path) => !isKnown(path)), ...links],
    folders,
  };
}

/** What stands at a path itself, without following a link. */
export type EntryKind = "absent" | "folder" | "link" | "other";

/** @throws {CkptError} FILE_SYSTEM. */
export async function readEntryKind(path: string): Promise<EntryKind> {
  try {
    const found = await lstat(path);
    return found.isDirectory() ? "folder" : found.isSymbolicLink() ? "link" : "other";
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return "absent";
    throw new CkptError("FILE_SYSTEM", { path, operation: "look at", reason: message }, { cause });
  }
}

/** `metrics.json`, or what a process that died while it replaced that left. */
function isMetrics(path: string): boolean {
  return path === manifestNames.metrics || /^\.metrics\.json\.staging-\d+$/.test(path);
}

async function readManifest(
  kind: "checkpoint" | "artifact" | "evaluation",
  folder: string,
): Promise<Manifest | undefined> {
  const type: DocumentType<Manifest> = {
    kind,
    schemaVersion: Number.MAX_SAFE_INTEGER,
    schema: z.object({ kind: z.literal(kind), schemaVersion: z.int(), files: fileEntriesSchema }),
  };
  try {
    return await readDocument(type, join(folder, manifestNames[kind]));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_INVALID") || isCkptError(error, "MANIFEST_MISSING")) return undefined;
    throw error;
  }
}

interface Entries {
  readonly files: readonly string[];
  /** Links, devices, pipes. */
  readonly links: readonly string[];
  readonly folders: readonly string[];
}

async function walk(root: string): Promise<Entries> {
  const files: string[] = [];
  const links: string[] = [];
  const folders: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await list(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        await visit(path);
        folders.push(path);
      } else (entry.isFile() ? files : links).push(path);
    }
  };
  await visit("");
  return { files, links, folders };
}

async function list(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    throw new CkptError("FILE_SYSTEM", { path, operation: "list", reason: (cause as Error).message }, { cause });
  }
}
