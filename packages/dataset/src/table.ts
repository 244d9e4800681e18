import { type CkptError, isCkptError } from "@ckpt/manifest";

import { createUnreadableError, type DataFile, findDataFile, readDecompressed } from "./data-file.js";
import { type Database, quoteName, quotePath } from "./database.js";
import { locateJsonProblem } from "./locate-json-problem.js";
import { scanCsv } from "./scan-csv.js";

/** A file of any format as columns by name, and the SQL that reads them. */
export interface Table {
  /** As the caller gave it, for messages. */
  readonly file: string;
  /** In the order of the file; for NDJSON in that of their first appearance. */
  readonly columns: readonly string[];
  /**
   * SQL that gives, for every row in order, the columns with indices `numbers` as DOUBLE (NaN where the cell is no
   * number), then those with indices `texts` as VARCHAR (NULL where the cell is empty).
   */
  selectSql(numbers: readonly number[], texts: readonly number[]): string;
  /**
   * The same for rows `start` (inclusive) to `end` (exclusive). Only where the format keeps columns apart, so that some of
   * them, and some of the rows, can be read without the others.
   */
  selectRowsSql?(numbers: readonly number[], texts: readonly number[], start: number, end: number): string;
  /** Known beforehand for CSV and Parquet. */
  readonly rowCount?: number;
  /** The error to report when DuckDB fails to read the file. */
  explain(error: unknown): Promise<CkptError>;
}

const nan = "'nan'::DOUBLE";

/** DuckDB takes `1_000` for 1000; in data it is a name more often than a number. */
const parseNumberSql = (text: string) =>
  `CASE WHEN contains(${text}, '_') THEN ${nan} ELSE coalesce(try_cast(${text} AS DOUBLE), ${nan}) END`;

/**
 * Opens a data file of any format.
 *
 * @throws {CkptError} DATA_UNREADABLE, DATA_ROW_RAGGED when the file is missing, damaged or malformed.
 */
export async function openTable(database: Database, file: string): Promise<Table> {
  const dataFile = await findDataFile(file);
  if (dataFile.format === "csv") return openCsv(dataFile);
  if (dataFile.format === "parquet") return openParquet(database, dataFile);
  return openNdjson(database, dataFile);
}

async function openCsv(dataFile: DataFile): Promise<Table> {
  const { header, rowCount } = await scanCsv(dataFile);
  // Every option that DuckDB's sniffer would guess is given, and every cell is text at first.
  const options = [
    "auto_detect=false",
    "header=true",
    "delim=','",
    `quote='"'`,
    `escape='"'`,
    "hive_partitioning=false",
    `compression=${dataFile.isGzip ? "'gzip'" : "'none'"}`,
    `columns={${header.map((_, index) => `c${index}: 'VARCHAR'`).join(", ")}}`,
  ];
  const from = `read_csv(${quotePath(dataFile.path)}, ${options.join(", ")})`;
  return {
    file: dataFile.file,
    columns: header,
    rowCount,
    selectSql: (numbers, texts) =>
      selectSql([...numbers.map((index) => parseNumberSql(`c${index}`)), ...texts.map((index) => `c${index}`)], from),
    explain: async (error) => createDuckDbError(dataFile.file, error),
  };
}

const numericType = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*)$/u;

async function openParquet({ connection }: Database, dataFile: DataFile): Promise<Table> {
  const { file } = dataFile;
  const scan = `read_parquet(${quotePath(dataFile.path)}, hive_partitioning=false)`;
  const explain = async (error: unknown) => createDuckDbError(file, error);
  const columns: { readonly name: string; readonly isNumeric: boolean }[] = [];
  let rowCount: number;
  try {
    const described = await connection.runAndReadAll(`DESCRIBE FROM ${scan}`);
    for (const [name, type] of described.getRows()) {
      columns.push({ name: String(name), isNumeric: numericType.test(String(type)) });
    }
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${scan}`);
    rowCount = Number(counted.getRows()[0]?.[0]);
  } catch (error) {
    throw await explain(error);
  }
  const names = columns.map((_, index) => `c${index}`);
  const from = `${scan} AS t(${names.join(", ")})`;
  const numbered = `read_parquet(${quotePath(dataFile.path)}, hive_partitioning=false, file_row_number=true)`;
  const fromNumbered = `${numbered} AS t(${[...names, "row"].join(", ")})`;
  // A column of another type has no numbers, whatever its text may look like.
  const numberSql = (index: number) =>
    columns[index]?.isNumeric === true ? `coalesce(CAST(c${index} AS DOUBLE), ${nan})` : nan;
  const listCells = (numbers: readonly number[], texts: readonly number[]) => [
    ...numbers.map(numberSql),
    ...texts.map((index) => `CAST(c${index} AS VARCHAR)`),
  ];
  return {
    file,
    columns: columns.map(({ name }) => name),
    rowCount,
    selectSql: (numbers, texts) => selectSql(listCells(numbers, texts), from),
    // DuckDB numbers no rows of a file that has a column of the name itself.
    ...(columns.some(({ name }) => name.toLowerCase() === "file_row_number")
      ? {}
      : {
          selectRowsSql: (numbers, texts, start, end) =>
            `${selectSql(listCells(numbers, texts), fromNumbered)} WHERE row >= ${start} AND row < ${end}`,
        }),
    explain,
  };
}

async function openNdjson({ connection }: Database, dataFile: DataFile): Promise<Table> {
  const { file } = dataFile;
  if (dataFile.isGzip) await checkGzip(dataFile);
  const compression = `compression=${dataFile.isGzip ? "'gzip'" : "'uncompressed'"}`;
  const path = quotePath(dataFile.path);
  const explain = async (error: unknown) => {
    const reason = await locateJsonProblem(dataFile);
    return reason === undefined ? createDuckDbError(file, error) : createUnreadableError(file, reason, error);
  };
  const columns = new Set<string>();
  try {
    // Few distinct lists of keys, whatever the number of rows; each is as its first row has it.
    const lists = await connection.runAndReadAll(
      "SELECT array_to_string(list_transform(keys, k -> to_json(k)), ',') FROM (" +
        "SELECT json_keys(json) AS keys, min(row) AS row FROM (" +
        `SELECT json, row_number() OVER () AS row FROM read_json_objects(${path}, format='newline_delimited', ${compression})` +
        ") GROUP BY keys) ORDER BY row",
    );
    for (const [keys] of lists.getRows()) {
      for (const name of JSON.parse(`[${String(keys)}]`) as string[]) columns.add(name);
    }
  } catch (error) {
    throw await explain(error);
  }
  const names = [...columns];
  return {
    file,
    columns: names,
    selectSql: (numbers, texts) => {
      const used = [...new Set([...numbers, ...texts])];
      const struct = used.map((index) => `${quoteName(names[index] ?? "")}: 'JSON'`).join(", ");
      const from =
        `read_json(${path}, format='newline_delimited', auto_detect=false, hive_partitioning=false, ${compression}, ` +
        `columns={${struct}}) AS t(${used.map((index) => `c${index}`).join(", ")})`;
      return selectSql(
        [
          // A string keeps its quotes as text, so it is no number.
          ...numbers.map((index) => parseNumberSql(`CAST(c${index} AS VARCHAR)`)),
          ...texts.map((index) => `c${index} ->> '$'`),
        ],
        from,
      );
    },
    explain,
  };
}

const selectSql = (expressions: readonly string[], from: string) => `SELECT ${expressions.join(", ")} FROM ${from}`;

async function checkGzip(dataFile: DataFile): Promise<void> {
  // Only read to the end: the generator throws when the data is damaged.
  for await (const _ of readDecompressed(dataFile));
}

/** DuckDB's message without the line of data (up to 2 MB), its advice and its settings. */
function createDuckDbError(file: string, error: unknown): CkptError {
  if (isCkptError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const [statement = ""] = message.split(/\n(?:Possible|Try |\n|LINE )/u);
  const reason = statement
    .split("\n")
    .filter((line) => !line.startsWith("Original Line:"))
    .join(" ")
    .replace(/^[A-Z]\w+(?: \w+)* Error: /u, "");
  return createUnreadableError(file, reason.slice(0, 300), error);
}
