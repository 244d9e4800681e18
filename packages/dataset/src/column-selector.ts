import { CkptError } from "@ckpt/manifest";

/**
 * Which columns: their names in the order wanted, a regular expression that takes every column it matches in the
 * order of the file, or either of these as text for {@link parseColumnSelector}.
 */
export type ColumnSelector = string | RegExp | readonly string[];

/**
 * Parses selector text: `/pattern/flags` is a regular expression, everything else a comma-separated list of names.
 * A column whose own name has a comma or is written between slashes needs the array form of {@link ColumnSelector}.
 *
 * @throws {CkptError} INVALID_OPTION when the pattern is not a regular expression or a name is empty.
 */
export function parseColumnSelector(text: string): RegExp | readonly string[] {
  const [, pattern, flags] = /^\/(.+)\/([a-z]*)$/su.exec(text) ?? [];
  if (pattern === undefined) {
    const names = text.split(",").map((name) => name.trim());
    if (names.includes("")) {
      throw invalidSelector("column names, or a regular expression between slashes", JSON.stringify(text));
    }
    return names;
  }
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw invalidSelector("a valid regular expression", text, cause);
  }
}

/**
 * The names that `selector` takes out of a file's columns. A regular expression keeps the file's order, whatever the
 * numbers in the names, and leaves out the names in `excluded`.
 *
 * @throws {CkptError} DATA_COLUMN_NOT_FOUND when a name is not there or an expression matches nothing.
 * @throws {CkptError} INVALID_OPTION when the selector is text that does not parse, or an empty list.
 */
export function selectColumns(
  selector: ColumnSelector,
  table: { readonly file: string; readonly columns: readonly string[] },
  excluded: ReadonlySet<string> = new Set(),
): readonly string[] {
  const parsed = typeof selector === "string" ? parseColumnSelector(selector) : selector;
  if (parsed instanceof RegExp) {
    // search() starts at 0 and leaves lastIndex alone, so flags g and y do not carry over from name to name.
    const names = table.columns.filter((name) => name.search(parsed) !== -1 && !excluded.has(name));
    if (names.length === 0) throw columnNotFound(table, String(parsed));
    return names;
  }
  if (parsed.length === 0) throw invalidSelector("at least one column", "none");
  for (const name of parsed) findColumn(table, name);
  return parsed;
}

/**
 * The index of the column with exactly this name.
 *
 * @throws {CkptError} DATA_COLUMN_NOT_FOUND when there is none.
 */
export function findColumn(
  table: { readonly file: string; readonly columns: readonly string[] },
  name: string,
): number {
  const index = table.columns.indexOf(name);
  if (index === -1) throw columnNotFound(table, name);
  return index;
}

const columnNotFound = (table: { readonly file: string; readonly columns: readonly string[] }, column: string) =>
  new CkptError("DATA_COLUMN_NOT_FOUND", { file: table.file, column, available: table.columns });

const invalidSelector = (expected: string, found: string, cause?: unknown) =>
  new CkptError("INVALID_OPTION", { option: "columns", expected, found }, { cause });
