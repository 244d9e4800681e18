import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { isCkptError } from "@ckpt/manifest";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll } from "vitest";

/** A folder that is removed after the tests of the file. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ckpt-dataset-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `content` to a file in `folder`, compressed if the name ends in `.gz`, and returns its path. */
export function writeFile(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(content) : content);
  return path;
}

/** Writes what the SQL query gives to a Parquet file with DuckDB's own writer. */
export async function writeParquet(folder: string, name: string, query: string): Promise<string> {
  const path = join(folder, name);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  return path;
}

/** The code and the details of the CkptError that `action` rejects with. */
export async function failureOf(
  action: Promise<unknown>,
): Promise<{ readonly code: string; readonly details: unknown }> {
  try {
    await action;
  } catch (error) {
    if (!isCkptError(error)) throw error;
    return { code: error.code, details: error.details };
  }
  throw new Error("expected a CkptError");
}
