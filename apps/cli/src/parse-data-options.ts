import { type Classes, type ColumnInput, loadDataset, parseColumnSelector } from "@ckpt/dataset";
import { CkptError, type Split, type SplitRole } from "@ckpt/manifest";

/** The data options of `ckpt evaluate`, as they are typed. */
export interface DataOptions {
  readonly data: string;
  /** `NAME=/COLUMNS/` or `NAME=column,column`, one per input. */
  readonly input: readonly string[];
  readonly label: string | undefined;
  /** How many there are, or their names, comma-separated in the order of the model's output. */
  readonly classes: string | undefined;
  readonly scale: number | undefined;
  /** Comma-separated sizes of one row, for every input. */
  readonly shape: string | undefined;
  /** Further columns to read, by which rows count. */
  readonly columns?: readonly string[];
}

/**
 * Reads a whole file as one split of the given role.
 *
 * @param knownClasses - Those the model was trained on: the file alone may lack some, or tell nothing of their order.
 * @throws {CkptError} INVALID_OPTION, and what `loadDataset` throws.
 */
export async function loadDataFile(options: DataOptions, role: SplitRole, knownClasses?: Classes): Promise<Split> {
  const { data, input, label, scale, shape, columns = [] } = options;
  const classes = options.classes === undefined ? knownClasses : parseClasses(options.classes);
  if (label === undefined) throw invalid("--label", "the column of the class label", "nothing");
  if (input.length === 0) throw invalid("--input", "at least one NAME=/COLUMNS/", "nothing");
  if (scale !== undefined && (!Number.isFinite(scale) || scale === 0)) {
    throw invalid("--scale", "a finite number other than 0", String(scale));
  }
  const tensor = {
    ...(scale === undefined ? {} : { scale }),
    ...(shape === undefined ? {} : { shape: parseShape(shape) }),
  };
  const inputs: Record<string, ColumnInput> = {};
  for (const text of input) {
    const [name, columns] = parseInput(text);
    if (Object.hasOwn(inputs, name)) throw invalid("--input", "each NAME once", text);
    inputs[name] = { columns, ...tensor };
  }
  const splits = await loadDataset({
    files: [{ path: data, fractions: { [role]: 1 } }],
    inputs,
    label: { column: label, ...(classes === undefined ? {} : { classes }) },
    columns,
    // Memory does not grow with the rows, and each is read in order, once for each artifact.
    storage: "disk",
  });
  const [split] = splits;
  if (split === undefined) throw new TypeError("a dataset has at least one split");
  return split;
}

function parseInput(text: string): readonly [name: string, columns: ColumnInput["columns"]] {
  const at = text.indexOf("=");
  if (at < 1) throw invalid("--input", "NAME=/COLUMNS/", text);
  return [text.slice(0, at), parseColumnSelector(text.slice(at + 1))];
}

function parseClasses(text: string): Classes {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw invalid("--classes", "a number, or names such as cat,dog", JSON.stringify(text));
  const count = Number(text);
  return Number.isInteger(count) ? count : names;
}

function parseShape(text: string): readonly number[] {
  const sizes = text.split(",").map(Number);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw invalid("--shape", "sizes such as 8,8,1", text);
  }
  return sizes;
}

function invalid(option: string, expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option, expected, found });
}
