import { CkptError } from "@ckpt/manifest";

import { quoteName, quotePath, withDatabase } from "./database.js";

/** Types a column of a written file can have. */
export type ParquetType = "INTEGER" | "FLOAT" | "VARCHAR";

/**
 * Writes the rows of a CSV file with a header as Parquet.
 *
 * @param columns - Name and type of each column, in the file's order.
 * @throws {CkptError} DATA_UNREADABLE naming the CSV file, also when the other cannot be written; ENGINE_UNAVAILABLE.
 */
export async function writeParquet(
  csv: string,
  parquet: string,
  columns: Readonly<Record<string, ParquetType>>,
): Promise<void> {
  const types = Object.entries(columns).map(([name, type]) => `${quoteName(name)}: '${type}'`);
  const rows = `read_csv(${quotePath(csv)}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {${types.join(", ")}})`;
  await withDatabase(async ({ connection }) => {
    try {
      await connection.run(`COPY (SELECT * FROM ${rows}) TO '${parquet.replaceAll("'", "''")}' (FORMAT parquet)`);
    } catch (cause) {
      throw new CkptError("DATA_UNREADABLE", { file: csv, reason: (cause as Error).message }, { cause });
    }
  });
}
