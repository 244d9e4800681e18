import { CkptError, type Split } from "@ckpt/manifest";

import { buildSplits } from "./build-splits.js";
import type { Classes } from "./class-labels.js";
import type { Fractions } from "./fractions.js";
import { createInputLayout, createRowLayout, type InputTensorOptions } from "./row-layout.js";
import type { RowBlock } from "./split-builder.js";

/** One input: the values of all rows, row-major, and how they become a tensor. */
export interface ArrayInput extends InputTensorOptions {
  readonly values: ArrayLike<number>;
}

/** Rows in memory, and how they become splits. */
export interface DatasetFromArraysOptions {
  /** By input name. */
  readonly inputs: Readonly<Record<string, ArrayInput>>;
  /** A class index or class name per row. Either this or `targets`. */
  readonly label?: { readonly values: ArrayLike<number> | ArrayLike<string>; readonly classes?: Classes };
  /** Regression targets, row-major; `outputs` is how many a row has, by default 1. */
  readonly targets?: { readonly values: ArrayLike<number>; readonly outputs?: number };
  readonly fractions: Fractions;
  /** Default: 0. */
  readonly seed?: number;
}

/**
 * Divides the rows of plain arrays into one split per role of `fractions`, copied, in the order train, validation,
 * select, test. The same values give the same splits and digests as out of a file.
 *
 * The number of rows is that of the labels or targets; an input's values per row follow from it.
 *
 * @throws {CkptError} INVALID_OPTION when the arrays do not hold the same number of rows, or an option is out of range.
 * @throws {CkptError} DATA_CELL_INVALID when a value is not finite, or a label is none of the classes.
 * @throws {CkptError} DATA_SPLIT_EMPTY when a role gets no row.
 */
export async function datasetFromArrays(options: DatasetFromArraysOptions): Promise<readonly Split[]> {
  const { inputs, label, targets, fractions, seed = 0 } = options;
  if ((label === undefined) === (targets === undefined)) {
    throw invalidOption("label", "either label or targets", label === undefined ? "neither" : "both");
  }
  const outputs = targets?.outputs ?? 1;
  if (!Number.isInteger(outputs) || outputs < 1) {
    throw invalidOption("targets.outputs", "a whole number above 0", String(outputs));
  }
  const rowCount = label?.values.length ?? (targets?.values.length ?? 0) / outputs;
  if (!Number.isInteger(rowCount)) {
    throw invalidOption("targets.values", `a multiple of ${outputs} values`, String(targets?.values.length));
  }
  if (rowCount === 0) throw invalidOption(label === undefined ? "targets" : "label", "at least one row", "none");
  if (Object.keys(inputs).length === 0) throw invalidOption("inputs", "at least one input", "none");

  const columns: { readonly name: string; readonly values: ArrayLike<number>; readonly width: number }[] = [];
  const layouts = Object.entries(inputs).map(([name, input]) => {
    const width = input.values.length / rowCount;
    if (!Number.isInteger(width) || width < 1) {
      throw invalidOption(`inputs.${name}.values`, `a multiple of ${rowCount} values`, String(input.values.length));
    }
    columns.push({ name: `inputs.${name}`, values: input.values, width });
    return createInputLayout(name, width, input);
  });
  const layout = createRowLayout(layouts, targets === undefined ? 0 : outputs);
  if (targets !== undefined) columns.push({ name: "targets", values: targets.values, width: outputs });

  const source = {
    file: "arrays",
    fractions,
    readBlocks: () => readArrayBlocks(columns, label?.values, rowCount),
    describeCell: async (row: number, column: number | "label") => {
      if (column === "label") return { column: "label", found: JSON.stringify(label?.values[row]) };
      let index = column;
      for (const { name, values, width } of columns) {
        if (index < width) return { column: `${name}[${index}]`, found: String(values[row * width + index]) };
        index -= width;
      }
      throw new TypeError(`no column ${column}`);
    },
  };
  return buildSplits({
    layout,
    sources: [source],
    columns: [],
    storage: "memory",
    seed,
    ...(label === undefined ? {} : { label }),
  });
}

const blockRows = 2048;

async function* readArrayBlocks(
  columns: readonly { readonly values: ArrayLike<number>; readonly width: number }[],
  labels: ArrayLike<number> | ArrayLike<string> | undefined,
  rowCount: number,
): AsyncGenerator<RowBlock> {
  const rowWidth = columns.reduce((sum, { width }) => sum + width, 0);
  const block = new Float64Array(blockRows * rowWidth);
  for (let first = 0; first < rowCount; first += blockRows) {
    const count = Math.min(blockRows, rowCount - first);
    let offset = 0;
    for (const { values, width } of columns) {
      for (let row = 0; row < count; row++) {
        for (let index = 0; index < width; index++) {
          block[row * rowWidth + offset + index] = values[(first + row) * width + index]!;
        }
      }
      offset += width;
    }
    yield {
      rowCount: count,
      values: block,
      columns: [],
      ...(labels === undefined
        ? {}
        : { labels: Array.from({ length: count }, (_, row) => String(labels[first + row])) }),
    };
  }
}

const invalidOption = (option: string, expected: string, found: string) =>
  new CkptError("INVALID_OPTION", { option, expected, found });
