import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { CkptError } from "./errors.js";
import type { FileSystem } from "./file-system.js";
import { isHolderAlive, parseHolder, type ProcessHolder } from "./process-holder.js";

/** What a process says about a folder by a file beside it: that it reads it, or that it is about to remove it. */
export type ClaimKind = "lease" | "removing";

const claimName = /^\.(.+)\.(?:(lease)-\d+-\d+|(removing)-\d+)$/;

/** The name beside `folder` of this process's `n`-th lease of anything: `.<name>.lease-<pid>-<n>`. */
export function leasePath(folder: string, n: number): string {
  return join(dirname(folder), `.${basename(folder)}.lease-${process.pid}-${n}`);
}

/** The name beside `folder` under which this process says that it removes it: `.<name>.removing-<pid>`. */
export function intentPath(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.removing-${process.pid}`);
}

/** The folder's name and the kind of a name that {@link leasePath} or {@link intentPath} gave, in any process. */
function parseClaimName(name: string): { readonly target: string; readonly kind: ClaimKind } | undefined {
  const [, target, lease] = claimName.exec(name) ?? [];
  return target === undefined ? undefined : { target, kind: lease === undefined ? "removing" : "lease" };
}

/** A file that makes a claim; without a holder if that is dead or the file is no holder's record. */
export interface Claim {
  readonly path: string;
  readonly holder?: ProcessHolder;
}

/**
 * The claims of one kind in a folder, of all that is in it or on one name.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function listClaims(
  parent: string,
  kind: ClaimKind,
  fileSystem: FileSystem,
  target?: string,
): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  for (const name of await fileSystem.list(parent)) {
    const found = parseClaimName(name);
    if (found?.kind !== kind || (target !== undefined && found.target !== target)) continue;
    const claim = await readClaim(join(parent, name));
    if (claim !== undefined) claims.push(claim);
  }
  return claims;
}

async function readClaim(path: string): Promise<Claim | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // A folder is no claim, whatever its name.
    if (code === "ENOENT" || code === "EISDIR") return undefined;
    throw new CkptError("FILE_SYSTEM", { path, operation: "read", reason: message }, { cause });
  }
  const holder = parseHolder(text);
  return holder !== undefined && (await isHolderAlive(holder)) ? { path, holder } : { path };
}
