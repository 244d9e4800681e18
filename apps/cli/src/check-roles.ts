import { findSharedRows } from "@ckpt/dataset";
import { CkptError, type DataRecord, type Split } from "@ckpt/manifest";

import type { Progress } from "./progress.js";

/**
 * Refuses splits that are the same rows under two roles.
 *
 * @throws {CkptError} DATA_ROWS_SHARED
 */
export function refuseEqualSplits(split: DataRecord, others: readonly DataRecord[]): void {
  const twin = others.find(({ role, digest }) => role !== split.role && digest === split.digest);
  if (twin === undefined) return;
  const { rowCount } = split;
  throw new CkptError("DATA_ROWS_SHARED", { splits: [split.name, twin.name], sharedRows: rowCount, rowCount });
}

/**
 * Refuses to choose by test rows.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function refuseTestRows({ name, role }: Pick<DataRecord, "name" | "role">, option: string): void {
  if (role !== "test") return;
  const expected = "one to choose by, such as select: test rows are for the pick alone";
  throw new CkptError("INVALID_OPTION", { option, expected, found: name });
}

/**
 * Looks for rows that play two roles. More than half of a split's rows in another one is refused, fewer are a warning:
 * rows may be alike by chance. Within one file rows of equal inputs have one role, so then nothing is looked for.
 *
 * @param fileCount - How many files the splits are from.
 * @throws {CkptError} DATA_ROWS_SHARED
 */
export async function checkRoles(splits: readonly Split[], fileCount: number, progress: Progress): Promise<void> {
  if (fileCount < 2) return;
  for (const shared of await findSharedRows(splits)) {
    const error = new CkptError("DATA_ROWS_SHARED", { ...shared });
    if (shared.sharedRows * 2 > shared.rowCount) throw error;
    progress.warn(`data      ${error.message}`);
  }
}
