import { CkptError, type Split } from "@ckpt/manifest";

import type { Slice } from "./metrics/slices.js";
import { sliceByColumn } from "./metrics/slices.js";
import type { Scoring } from "./scoring.js";

/** A row's further columns by name: their text, `null` for an empty cell. */
export type ColumnTexts = Readonly<Record<string, string | null>>;

/**
 * The rows that have certain values in a column; with the column alone, one slice for each of its values, named
 * `<name>=<value>`. A number equals every way of writing it (`3`, `3.0`), a text only itself.
 */
export interface ColumnSlice {
  readonly column: string;
  readonly equals?: string | number;
  readonly in?: readonly (string | number)[];
  /** From the first number (inclusive) to the second (exclusive); infinite ends are open. */
  readonly range?: readonly [from: number, to: number];
}

/** What is done with which column of a split. */
export interface ColumnScoring {
  /** The column whose numbers weigh the rows. */
  readonly weights?: string;
  /** The column whose equal values belong together (a patient, a document): their rows are resampled together. */
  readonly groupBy?: string;
  /** Parts of the rows by name: by a column, or by a predicate over all further columns of a row. */
  readonly slices?: Readonly<Record<string, ColumnSlice | ((row: ColumnTexts) => boolean)>>;
}

/** The columns that a scoring names, each once, for the dataset to read. */
export function listScoringColumns({ weights, groupBy, slices = {} }: ColumnScoring): readonly string[] {
  const sliced = Object.values(slices).flatMap((slice) => (typeof slice === "function" ? [] : slice.column));
  return [...new Set([weights ?? [], groupBy ?? [], sliced].flat())];
}

/**
 * How the rows of a split count, by its further columns.
 *
 * @throws {CkptError} INVALID_OPTION for a column the split does not have, a weight that is not finite or negative, a row
 *   without a group, or two slices of one name.
 */
export function scoreByColumns(split: Split, { weights, groupBy, slices }: ColumnScoring): Scoring {
  return {
    ...(weights === undefined ? {} : { weights: { column: weights, values: readWeights(split, weights) } }),
    ...(groupBy === undefined ? {} : { groups: { column: groupBy, values: numberGroups(split, groupBy) } }),
    ...(slices === undefined ? {} : { slices: listSlices(split, slices) }),
  };
}

function readWeights(split: Split, column: string): Float64Array {
  const texts = findTexts(split, "weights", column);
  const values = Float64Array.from(texts, toNumber);
  const bad = values.findIndex((value) => !(value >= 0 && Number.isFinite(value)));
  if (bad === -1) return values;
  const expected = `finite numbers from 0 in column ${column}`;
  throw invalid("weights", expected, describeCell(split, texts, bad));
}

function numberGroups(split: Split, column: string): Int32Array {
  const texts = findTexts(split, "groupBy", column);
  const numbers = new Map<string, number>();
  return Int32Array.from(texts, (text, row) => {
    if (text === null)
      throw invalid("groupBy", `a value in every row of column ${column}`, describeCell(split, texts, row));
    const known = numbers.get(text) ?? numbers.size;
    numbers.set(text, known);
    return known;
  });
}

function listSlices(split: Split, slices: NonNullable<ColumnScoring["slices"]>): readonly Slice[] {
  const listed = Object.entries(slices).flatMap(([name, slice]): readonly Slice[] => {
    if (typeof slice === "function") return [{ name, includes: (row) => slice(readRow(split, row)) }];
    const texts = findTexts(split, `slices.${name}`, slice.column);
    const includes = describeValues(slice);
    if (includes !== undefined) return [{ name, includes: (row) => includes(texts[row] ?? null) }];
    return sliceByColumn(
      name,
      texts.map((text) => text ?? ""),
    );
  });
  const names = listed.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw invalid("slices", "slices of different names", `${repeated} twice`);
  return listed;
}

/** Whether a cell belongs to a slice; nothing where the slice is the column alone. */
function describeValues({ equals, in: list, range }: ColumnSlice): ((text: string | null) => boolean) | undefined {
  if (range !== undefined) {
    const [from, to] = range;
    return (text) => toNumber(text) >= from && toNumber(text) < to;
  }
  const values = list ?? (equals === undefined ? undefined : [equals]);
  return values && ((text) => values.some((value) => value === (typeof value === "number" ? toNumber(text) : text)));
}

function findTexts(split: Split, option: string, column: string): readonly (string | null)[] {
  const texts = split.columns?.[column];
  if (texts !== undefined) return texts;
  const available = Object.keys(split.columns ?? {}).join(", ") || "none";
  throw invalid(option, `a further column of split ${split.name}: ${available}`, column);
}

function readRow({ columns = {} }: Split, row: number): ColumnTexts {
  return Object.fromEntries(Object.entries(columns).map(([name, texts]) => [name, texts[row] ?? null]));
}

/** An empty cell is no number, though JavaScript takes it for 0. */
function toNumber(text: string | null): number {
  return text === null || text.trim() === "" ? Number.NaN : Number(text);
}

function describeCell({ name }: Split, texts: readonly (string | null)[], row: number): string {
  const text = texts[row] ?? null;
  return `${text === null ? "an empty cell" : JSON.stringify(text)} in row ${row} of split ${name}`;
}

function invalid(option: string, expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option, expected, found });
}
