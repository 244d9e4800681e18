import { join } from "node:path";

import { z } from "zod";

import { type Sealed, serializeLine } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";
import { runLayout } from "./layout.js";
import { readLines } from "./read-lines.js";
import { type DataRecord, dataRecordSchema } from "./run-manifest.js";

/** That an artifact was scored on rows of the role test: a line of `test-reads.jsonl`. */
export interface TestRead {
  readonly split: DataRecord;
  readonly artifact: { readonly id: string; readonly digest: string };
}

const testReadSchema: z.ZodType<TestRead> = z.object({
  split: dataRecordSchema,
  artifact: z.object({ id: z.string().min(1), digest: sha256Schema }),
});

/**
 * Reads a run's ledger of test reads; none when nothing was scored on test yet.
 *
 * @throws {CkptError} MANIFEST_INVALID naming the line, FILE_SYSTEM.
 */
export async function readTestReads(run: string): Promise<readonly Sealed<TestRead>[]> {
  return (await readLines(testReadSchema, join(run, runLayout.testReads))) ?? [];
}

/**
 * Enters a test read into a run's ledger, unless the same artifact was scored on the same rows before: that tells nothing
 * new. The ledger is only ever appended to, and outlives a run that is begun again: what is known of the test rows stays
 * known.
 *
 * @returns How many artifacts have been scored on these rows, this one included.
 * @throws {CkptError} As {@link readTestReads}.
 */
export async function recordTestRead(
  run: string,
  read: TestRead,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<number> {
  const digests = listReaders(await readTestReads(run), read.split.digest);
  if (digests.has(read.artifact.digest)) return digests.size;
  const { name, role, rowCount, digest } = read.split;
  const line = serializeLine({
    split: { name, role, rowCount, digest },
    artifact: { id: read.artifact.id, digest: read.artifact.digest },
  });
  await fileSystem.appendFile(join(run, runLayout.testReads), new TextEncoder().encode(line));
  return digests.size + 1;
}

/** Digests of the artifacts that were scored on a split. */
function listReaders(reads: readonly TestRead[], split: string): ReadonlySet<string> {
  return new Set(reads.filter((read) => read.split.digest === split).map(({ artifact }) => artifact.digest));
}
