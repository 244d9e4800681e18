import type { Split, SplitRole } from "@ckpt/manifest";

import type { LabelEncoder, LabelProblem, ResolvedClasses } from "./class-labels.js";
import { createSplit } from "./create-split.js";
import { createDiskWriter } from "./disk-rows.js";
import { type RoleRange, splitRoles } from "./fractions.js";
import { createMemoryWriter, type MemoryRowWriter } from "./memory-rows.js";
import { createRowKey, hashRow } from "./row-hash.js";
import type { RowLayout } from "./row-layout.js";
import type { RowWriter } from "./row-values.js";

/** Some rows on their way into the splits. The arrays may be filled again for the next block. */
export interface RowBlock {
  readonly rowCount: number;
  /** `[rows, columns]`, columns as in {@link RowLayout}; NaN stands for every cell that is not a number. */
  readonly values: Float64Array;
  /** A class label per row, `null` for an empty cell; absent for regression. */
  readonly labels?: readonly (string | null)[];
  /** For each further column a text per row, `null` for an empty cell. */
  readonly columns: readonly (readonly (string | null)[])[];
}

/** A cell that cannot be used; `column` counts as in {@link RowLayout} and is `"label"` for the class label. */
export interface CellProblem extends LabelProblem {
  readonly column: number | "label";
}

/** Collects rows into one split per role. */
export interface SplitBuilder {
  /** Adds rows of the source with this index, up to the first cell that cannot be used. */
  add(block: RowBlock, source: number, firstRow: number): CellProblem | undefined;
  /** The splits of the roles that have rows, in the order of the roles. `classes` is absent for regression. */
  finish(classes?: ResolvedClasses): Promise<readonly Split[]>;
}

/** The tensors of one role while they grow. */
interface RoleRows {
  rowCount: number;
  readonly inputs: readonly RowWriter[];
  readonly labels: MemoryRowWriter;
  /** One array a further column. */
  readonly columns: readonly (string | null)[][];
}

/** Where the values of inputs are kept: labels and further columns, some bytes a row, always are in memory. */
export type RowStorage = "memory" | "disk";

/** How rows are laid out, and what decides the role of each. */
export interface SplitBuilderOptions {
  readonly layout: RowLayout;
  /** Names of the further columns. */
  readonly columns: readonly string[];
  readonly storage: RowStorage;
  readonly seed: number;
  /** Per source, the parts of [0, 1) that its roles have. */
  readonly ranges: readonly (readonly RoleRange[])[];
  /** Absent for regression. */
  readonly encoder?: LabelEncoder;
}

/**
 * Makes the builder. A row's role follows from the seed and the row's input values alone, as float32 before scaling:
 * not from its label, position or file format. So equal inputs of one source never end up in two roles, and neither
 * another scale nor another shape moves a row.
 */
export function createSplitBuilder(options: SplitBuilderOptions): SplitBuilder {
  const { layout, columns, seed, ranges, encoder } = options;
  const { inputs, inputWidth, targetWidth } = layout;
  const key = createRowKey(seed, inputWidth);
  const rowsByRole = new Map<SplitRole, RoleRows>();
  /** Equal texts of a column are kept once. */
  const known = columns.map(() => new Map<string, string>());

  const pickRole = (source: number): SplitRole => {
    const roles = ranges[source]!;
    const position = roles.length === 1 ? 0 : hashRow(key);
    return roles.find((range) => position < range.end)!.role;
  };

  /** Fills the key with a row's input values. Returns what was expected in the first column that does not fit. */
  const fillKey = (values: Float64Array, start: number): { column: number; expected: string } | undefined => {
    let column = 0;
    for (const { width, isInteger, scale } of inputs) {
      for (const end = column + width; column < end; column++) {
        const value = values[start + column]!;
        if (isInteger) {
          key.integers[column] = value;
          if (key.integers[column] !== value) return { column, expected: "a 32-bit integer" };
        } else {
          // Adding 0 turns -0 into 0: rows that compare equal have equal bytes.
          key.floats[column] = value + 0;
          if (!Number.isFinite(Math.fround(key.floats[column]! * scale)))
            return { column, expected: "a finite number" };
        }
      }
    }
    for (; column < inputWidth + targetWidth; column++) {
      if (!Number.isFinite(Math.fround(values[start + column]!))) return { column, expected: "a finite number" };
    }
    return undefined;
  };

  const append = (rows: RoleRows, values: Float64Array, start: number, labelCode: number): void => {
    let column = 0;
    for (const [index, { width, isInteger, scale }] of inputs.entries()) {
      const writer = rows.inputs[index]!;
      const at = writer.claim();
      const data = writer.values;
      for (let offset = 0; offset < width; offset++, column++) {
        data[at + offset] = isInteger ? key.integers[column]! : key.floats[column]! * scale;
      }
    }
    const at = rows.labels.claim();
    if (encoder !== undefined) rows.labels.values[at] = labelCode;
    for (let offset = 0; offset < targetWidth; offset++) {
      rows.labels.values[at + offset] = values[start + inputWidth + offset]!;
    }
    rows.rowCount++;
  };

  return {
    add({ rowCount, values, labels, columns: texts }, source, firstRow) {
      for (let index = 0; index < rowCount; index++) {
        const row = firstRow + index;
        const start = index * (inputWidth + targetWidth);
        const misfit = fillKey(values, start);
        if (misfit !== undefined) return { source, row, ...misfit };
        let labelCode = 0;
        if (encoder !== undefined) {
          const text = labels?.[index] ?? null;
          if (text === null) return { source, row, column: "label", expected: "a class label" };
          const code = encoder.encode(text, source, row);
          if (typeof code !== "number") return { ...code, column: "label" };
          labelCode = code;
        }
        const role = pickRole(source);
        let rows = rowsByRole.get(role);
        if (rows === undefined) rowsByRole.set(role, (rows = createRoleRows(options)));
        append(rows, values, start, labelCode);
        for (const [column, own] of rows.columns.entries()) {
          own.push(intern(known[column]!, texts[column]?.[index] ?? null));
        }
      }
      return undefined;
    },

    async finish(resolved) {
      const splits: Split[] = [];
      for (const role of splitRoles) {
        const rows = rowsByRole.get(role);
        if (rows === undefined) continue;
        const labels = rows.labels.trim();
        if (resolved !== undefined) {
          for (const [index, code] of labels.entries()) labels[index] = resolved.classOfCode[code]!;
        }
        const split = await createSplit({
          role,
          rowCount: rows.rowCount,
          inputs: inputs.map(({ spec }, index) => ({ spec, rows: rows.inputs[index]!.finish() })),
          columns: Object.fromEntries(columns.map((name, index) => [name, rows.columns[index]!])),
          labels: { values: labels, ...(targetWidth === 0 ? {} : { outputs: targetWidth }) },
          ...(resolved === undefined ? {} : { classes: resolved.classes }),
        });
        splits.push(split);
      }
      return splits;
    },
  };
}

function createRoleRows({ layout: { inputs, targetWidth }, columns, storage }: SplitBuilderOptions): RoleRows {
  const createWriter = storage === "disk" ? createDiskWriter : createMemoryWriter;
  return {
    rowCount: 0,
    inputs: inputs.map(({ isInteger, width }) => createWriter(isInteger ? "int32" : "float32", width)),
    labels: targetWidth === 0 ? createMemoryWriter("int32", 1) : createMemoryWriter("float32", targetWidth),
    columns: columns.map(() => []),
  };
}

function intern(known: Map<string, string>, text: string | null): string | null {
  if (text === null) return null;
  const same = known.get(text);
  if (same !== undefined) return same;
  known.set(text, text);
  return text;
}
