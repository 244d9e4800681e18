import { CkptError, type Split } from "@ckpt/manifest";

import { buildSplits, type RowSource } from "./build-splits.js";
import type { Classes } from "./class-labels.js";
import { type ColumnSelector, findColumn, selectColumns } from "./column-selector.js";
import { type Database, withDatabase } from "./database.js";
import type { Fractions } from "./fractions.js";
import { createInputLayout, createRowLayout, type InputTensorOptions } from "./row-layout.js";
import type { RowStorage } from "./split-builder.js";
import { readTableBlocks } from "./table-blocks.js";
import { openTable, type Table } from "./table.js";

/** One input: the columns its values come from, and how they become a tensor. */
export interface ColumnInput extends InputTensorOptions {
  /** A regular expression never takes the columns of the label or the targets. */
  readonly columns: ColumnSelector;
}

/** A file, and the roles its rows are divided among. */
export interface SplitFile {
  /** `.csv`, `.ndjson` or `.jsonl`, each also with `.gz`, or `.parquet`. The first line of a CSV file is its header. */
  readonly path: string;
  readonly fractions: Fractions;
}

/** The files to read, which of their columns are read as what, and how their rows become splits. */
export interface LoadDatasetOptions {
  /** The rows of a role that is in several files follow each other in this order. */
  readonly files: readonly SplitFile[];
  /** By input name. */
  readonly inputs: Readonly<Record<string, ColumnInput>>;
  /** The column of the class label. Either this or `targets`. */
  readonly label?: { readonly column: string; readonly classes?: Classes };
  /** The columns of the regression targets. */
  readonly targets?: ColumnSelector;
  /**
   * Further columns that go along with the rows as text, to weigh, group or slice them by. They change no tensor, no
   * digest and no row's role.
   */
  readonly columns?: readonly string[];
  /**
   * Where the values of the inputs are kept: `disk` is a nameless file in the system's temporary folder, 4 bytes a value,
   * which `read` reads ranges of. Default: `memory`.
   */
  readonly storage?: RowStorage;
  /** Other seeds divide the rows otherwise. Default: 0. */
  readonly seed?: number;
}

/**
 * Reads files into one split per role of their fractions, in the order train, validation, select, test. The rows of a
 * split are in the order of the files.
 *
 * Columns are selected in the first file; further files have to have columns of the same names. A row's role follows
 * from `seed` and its input values alone, so the same data gives the same splits in every format, and rows with equal
 * inputs stay together within a file.
 *
 * @throws {CkptError} DATA_UNREADABLE when a file is missing, damaged or malformed.
 * @throws {CkptError} DATA_ROW_RAGGED when a CSV record has not as many cells as the header.
 * @throws {CkptError} DATA_COLUMN_NOT_FOUND when a column is missing.
 * @throws {CkptError} DATA_CELL_INVALID when a cell is empty or not a finite number, or a label is none of the classes.
 * @throws {CkptError} DATA_SPLIT_EMPTY when a role gets no row.
 * @throws {CkptError} INVALID_OPTION when a selector, shape, scale, seed or fraction is not valid.
 * @throws {CkptError} FILE_SYSTEM when the temporary folder has no room.
 * @throws {CkptError} ENGINE_UNAVAILABLE when `@duckdb/node-api` does not load.
 */
export async function loadDataset(options: LoadDatasetOptions): Promise<readonly Split[]> {
  const { files, inputs, label, targets, columns: further = [], storage = "memory", seed = 0 } = options;
  if ((label === undefined) === (targets === undefined)) {
    throw invalidOption("label", "either label or targets", label === undefined ? "neither" : "both");
  }
  if (Object.keys(inputs).length === 0) throw invalidOption("inputs", "at least one input", "none");

  return withDatabase(async (database) => {
    const tables: Table[] = [];
    for (const { path } of files) tables.push(await openTable(database, path));
    const [first] = tables;
    if (first === undefined) throw invalidOption("files", "at least one file", "none");

    const targetNames = targets === undefined ? [] : selectColumns(targets, first);
    const excluded = new Set(label === undefined ? targetNames : [label.column]);
    const names: string[] = [];
    const inputLayouts = Object.entries(inputs).map(([name, input]) => {
      const selected = selectColumns(input.columns, first, excluded);
      names.push(...selected);
      return createInputLayout(name, selected.length, input);
    });
    names.push(...targetNames);

    const sources = files.map(({ fractions }, index): RowSource => {
      const table = tables[index]!;
      const labelColumn = label === undefined ? undefined : findColumn(table, label.column);
      const columns = names.map((name) => findColumn(table, name));
      const furtherColumns = further.map((name) => findColumn(table, name));
      return {
        file: table.file,
        fractions,
        readBlocks: () => readTableBlocks(database, table, { columns, labelColumn, furtherColumns }),
        describeCell: async (row, column) => {
          const tableColumn = column === "label" ? labelColumn : columns[column];
          if (tableColumn === undefined) throw new TypeError(`no column ${column}`);
          return {
            column: table.columns[tableColumn] ?? "",
            found: await readCell(database, table, row, tableColumn),
          };
        },
      };
    });
    const layout = createRowLayout(inputLayouts, targetNames.length);
    return buildSplits({ layout, sources, columns: further, storage, seed, ...(label === undefined ? {} : { label }) });
  });
}

async function readCell({ connection }: Database, table: Table, row: number, column: number): Promise<string> {
  const sql = `${table.selectSql([], [column])} LIMIT 1 OFFSET ${row}`;
  const [cells] = (await connection.runAndReadAll(sql)).getRows();
  const text = cells?.[0] ?? null;
  return text === null ? "an empty cell" : JSON.stringify(text).slice(0, 100);
}

const invalidOption = (option: string, expected: string, found: string) =>
  new CkptError("INVALID_OPTION", { option, expected, found });
