import type { z } from "zod";

import { parseLine, type Sealed } from "./document.js";
import { CkptError } from "./errors.js";
import { readText } from "./read-text.js";

/**
 * Reads a file of sealed lines, which is only ever appended to; `undefined` where there is no such file.
 *
 * @throws {CkptError} MANIFEST_INVALID naming the line, FILE_SYSTEM.
 */
export async function readLines<Content>(
  schema: z.ZodType<Content>,
  path: string,
): Promise<readonly Sealed<Content>[] | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  if (lines.pop() !== "") {
    throw new CkptError("MANIFEST_INVALID", { path, issues: [{ path: "", message: "the last line was cut short" }] });
  }
  return lines.map((line, index) => parseLine(schema, line, `${path}:${index + 1}`));
}
