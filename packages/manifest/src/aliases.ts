import { join } from "node:path";

import { z } from "zod";

import { type Sealed, serializeLine } from "./document.js";
import { CkptError } from "./errors.js";
import { sha256Schema } from "./file-entry.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { isInsidePath } from "./inside-path.js";
import { readLines } from "./read-lines.js";

/** That an alias was given to an artifact: a line of `aliases.jsonl`. */
export interface Promotion {
  readonly alias: string;
  /** Name of the run's folder, in the folder that the log is in. */
  readonly run: string;
  readonly artifact: { readonly id: string; readonly digest: string };
}

/** In the folder of the runs: an alias is one artifact of all of them. */
const logName = "aliases.jsonl";

const name = z.string().refine((text) => isInsidePath(text) && !text.includes("/"), "expected the name of a folder");

const promotionSchema: z.ZodType<Promotion> = z.object({
  alias: z.string().regex(/^[a-z][a-z0-9-]*$/),
  run: name,
  artifact: z.object({ id: name, digest: sha256Schema }),
});

/**
 * Gives an alias to an artifact. The log is only ever appended to: who held an alias before stays readable. One that has
 * it already is no change.
 *
 * @param runs - The folder that holds the run.
 * @returns Whether it was entered.
 * @throws {CkptError} INVALID_OPTION for an alias of other characters than a to z, 0 to 9 and `-`; what
 *   {@link readPromotions} throws.
 */
export async function promote(
  runs: string,
  { alias, run, artifact }: Promotion,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<boolean> {
  const promotion = { alias, run, artifact: { id: artifact.id, digest: artifact.digest } };
  const checked = promotionSchema.safeParse(promotion);
  if (!checked.success) {
    const expected = "small letters, digits and -, a letter first";
    throw new CkptError("INVALID_OPTION", { option: "alias", expected, found: alias });
  }
  const holder = findHolders(await readPromotions(runs)).get(alias);
  if (holder?.run === run && holder.artifact.digest === artifact.digest) return false;
  await fileSystem.appendFile(join(runs, logName), new TextEncoder().encode(serializeLine(promotion)));
  return true;
}

/**
 * Reads the log of a folder of runs, oldest first; nothing where nothing was promoted.
 *
 * @throws {CkptError} MANIFEST_INVALID naming the line, FILE_SYSTEM.
 */
export async function readPromotions(runs: string): Promise<readonly Sealed<Promotion>[]> {
  return (await readLines(promotionSchema, join(runs, logName))) ?? [];
}

/** Who has which alias now: the last one it was given to. */
export function findHolders(promotions: readonly Promotion[]): ReadonlyMap<string, Promotion> {
  return new Map(promotions.map((promotion) => [promotion.alias, promotion]));
}
