import { readFile } from "node:fs/promises";

import { CkptError } from "@ckpt/manifest";
import { z } from "zod";

/** A gate as it is kept beside the code, as JSON. */
export interface GateFile {
  /** Such as `accuracy>=0.95`. */
  readonly requirements?: readonly string[];
  readonly champion?: {
    readonly alias: string;
    readonly metric?: string;
    readonly margin?: number;
    readonly mode?: "non-inferior" | "superior";
  };
  readonly minRows?: number;
  readonly split?: string;
}

const gateFileSchema: z.ZodType<GateFile> = z.strictObject({
  requirements: z.array(z.string()).min(1).exactOptional(),
  champion: z
    .strictObject({
      alias: z.string(),
      metric: z.string().exactOptional(),
      margin: z.number().nonnegative().exactOptional(),
      mode: z.enum(["non-inferior", "superior"]).exactOptional(),
    })
    .exactOptional(),
  minRows: z.int().positive().exactOptional(),
  split: z.string().min(1).exactOptional(),
});

/**
 * Reads a gate.
 *
 * @throws {CkptError} CONFIG_NOT_FOUND, or CONFIG_INVALID with every problem; a misspelt field is one.
 */
export async function readGateFile(path: string): Promise<GateFile> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new CkptError("CONFIG_NOT_FOUND", { path }, { cause });
    const issues = [{ path: "", message: (cause as Error).message }];
    throw new CkptError("CONFIG_INVALID", { path, issues }, { cause });
  }
  const result = gateFileSchema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  throw new CkptError("CONFIG_INVALID", { path, issues });
}
