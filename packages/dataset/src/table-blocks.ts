import type { DuckDBDataChunk } from "@duckdb/node-api";

import { createUnreadableError } from "./data-file.js";
import type { Database } from "./database.js";
import type { RowBlock } from "./split-builder.js";
import type { Table } from "./table.js";

/** Indices of columns in a table. */
export interface BlockColumns {
  /** As in `RowLayout`. */
  readonly columns: readonly number[];
  readonly labelColumn: number | undefined;
  readonly furtherColumns: readonly number[];
}

/**
 * Columns of one query where the format keeps columns apart. DuckDB decodes the page of each column of a query as a whole,
 * 0.5 MB by its own writer, and a thousand columns at once are half a gigabyte.
 */
const stripeColumns = 64;
/** Bytes of a block that is put together from stripes. */
const stripedBlockBytes = 2 ** 26;
const bytesPerNumber = 8;

/**
 * Reads the rows of a table in order, in blocks of bounded size. A table of many columns is read in stripes of some of them,
 * where its format allows it.
 *
 * @throws {CkptError} What the table makes of DuckDB's errors; DATA_UNREADABLE when rows are missing.
 */
export async function* readTableBlocks(
  database: Database,
  table: Table,
  columns: BlockColumns,
): AsyncGenerator<RowBlock> {
  let rowsRead = 0;
  const isStriped = table.selectRowsSql !== undefined && columns.columns.length > stripeColumns;
  try {
    for await (const block of isStriped ? readStriped(database, table, columns) : readWhole(database, table, columns)) {
      yield block;
      rowsRead += block.rowCount;
    }
  } catch (error) {
    throw await table.explain(error);
  }
  if (table.rowCount !== undefined && rowsRead !== table.rowCount) {
    throw createUnreadableError(table.file, `it has ${table.rowCount} rows, of which only ${rowsRead} could be read`);
  }
}

async function* readWhole(database: Database, table: Table, given: BlockColumns): AsyncGenerator<RowBlock> {
  const { columns } = given;
  const texts = listTexts(given);
  let values = new Float64Array();
  for await (const chunk of queryChunks(database, table.selectSql(columns, texts))) {
    const { rowCount } = chunk;
    if (values.length < rowCount * columns.length) values = new Float64Array(rowCount * columns.length);
    copyNumbers(database, chunk, columns.length, { values, width: columns.length, firstRow: 0, firstColumn: 0 });
    yield describeBlock(rowCount, values, readTexts(database, chunk, columns.length, texts.length), given);
  }
}

async function* readStriped(database: Database, table: Table, given: BlockColumns): AsyncGenerator<RowBlock> {
  const { columns } = given;
  const width = columns.length;
  const blockRows = Math.max(1, Math.floor(stripedBlockBytes / (width * bytesPerNumber)));
  const values = new Float64Array(blockRows * width);
  const tableRows = table.rowCount ?? 0;
  for (let start = 0; start < tableRows; start += blockRows) {
    const end = Math.min(start + blockRows, tableRows);
    const texts: (string | null)[][] = listTexts(given).map(() => []);
    let rowCount = 0;
    for (let firstColumn = 0; firstColumn < width; firstColumn += stripeColumns) {
      const stripe = columns.slice(firstColumn, firstColumn + stripeColumns);
      const textColumns = firstColumn === 0 ? listTexts(given) : [];
      const sql = table.selectRowsSql?.(stripe, textColumns, start, end) ?? "";
      let firstRow = 0;
      for await (const chunk of queryChunks(database, sql)) {
        copyNumbers(database, chunk, stripe.length, { values, width, firstRow, firstColumn });
        for (const [index, read] of readTexts(database, chunk, stripe.length, textColumns.length).entries()) {
          texts[index]?.push(...read);
        }
        firstRow += chunk.rowCount;
      }
      rowCount = firstRow;
    }
    yield describeBlock(rowCount, values, texts, given);
  }
}

/** The label first, where there is one. */
function listTexts({ labelColumn, furtherColumns }: BlockColumns): readonly number[] {
  return labelColumn === undefined ? furtherColumns : [labelColumn, ...furtherColumns];
}

function describeBlock(
  rowCount: number,
  values: Float64Array,
  texts: readonly (readonly (string | null)[])[],
  { labelColumn }: BlockColumns,
): RowBlock {
  const [labels, ...columns] = texts;
  if (labelColumn === undefined || labels === undefined) return { rowCount, values, columns: texts };
  return { rowCount, values, columns, labels };
}

async function* queryChunks({ connection }: Database, sql: string): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk;
  }
}

/** Where in a block a chunk's numbers go. */
interface BlockPlace {
  readonly values: Float64Array;
  /** Columns of the block. */
  readonly width: number;
  readonly firstRow: number;
  readonly firstColumn: number;
}

/** Copies the first columns of a chunk. */
function copyNumbers(
  { duckdb }: Database,
  chunk: DuckDBDataChunk,
  columnCount: number,
  { values, width, firstRow, firstColumn }: BlockPlace,
): void {
  for (let column = 0; column < columnCount; column++) {
    const vector = chunk.getColumnVector(column);
    if (!(vector instanceof duckdb.DuckDBDoubleVector)) {
      throw new TypeError(`expected DOUBLE, found ${String(vector.type)}`);
    }
    let at = firstRow * width + firstColumn + column;
    for (let row = 0; row < chunk.rowCount; row++, at += width) values[at] = vector.getItem(row) ?? NaN;
  }
}

/** The texts of the columns from `firstColumn` on. */
function readTexts(
  { duckdb }: Database,
  chunk: DuckDBDataChunk,
  firstColumn: number,
  columnCount: number,
): readonly (readonly (string | null)[])[] {
  return Array.from({ length: columnCount }, (_, index) => {
    const vector = chunk.getColumnVector(firstColumn + index);
    if (!(vector instanceof duckdb.DuckDBVarCharVector)) {
      throw new TypeError(`expected VARCHAR, found ${String(vector.type)}`);
    }
    return Array.from({ length: chunk.rowCount }, (__, row) => vector.getItem(row));
  });
}
