import { z } from "zod";

import { isInsidePath } from "./inside-path.js";

/** One file of a committed folder: path relative to the folder with `/` between parts, size and digest. */
export interface FileEntry {
  readonly path: string;
  readonly sizeBytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** Accepts a SHA-256 digest as documents hold it: 64 lower-case hexadecimal digits. */
export const sha256Schema: z.ZodType<string> = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

/** Accepts a list of files whose paths stay inside their folder and are there once each. */
export const fileEntriesSchema: z.ZodType<readonly FileEntry[]> = z
  .array(
    z.object({
      path: z.string().refine(isInsidePath, "expected a relative path that stays inside the folder"),
      sizeBytes: z.int().nonnegative(),
      sha256: sha256Schema,
    }),
  )
  .refine((entries) => new Set(entries.map((entry) => entry.path)).size === entries.length, "a path is listed twice");
