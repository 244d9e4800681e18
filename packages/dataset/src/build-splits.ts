import { CkptError, type Split } from "@ckpt/manifest";

import { type Classes, createLabelEncoder } from "./class-labels.js";
import { describeFractions, type Fractions, layOutFractions } from "./fractions.js";
import type { RowLayout } from "./row-layout.js";
import { type CellProblem, createSplitBuilder, type RowBlock, type RowStorage } from "./split-builder.js";

/** Where rows come from, with what a message about one of them needs. */
export interface RowSource {
  /** File, or another name of the source, for messages. */
  readonly file: string;
  readonly fractions: Fractions;
  readBlocks(): AsyncIterable<RowBlock>;
  /** Name and text of a cell as it stands in the source, for a message; `row` is 0-based. */
  describeCell(
    row: number,
    column: CellProblem["column"],
  ): Promise<{ readonly column: string; readonly found: string }>;
}

/** The rows to divide, and how they are laid out, labelled and assigned to roles. */
export interface BuildSplitsOptions {
  readonly layout: RowLayout;
  readonly sources: readonly RowSource[];
  /** Names of the further columns that the blocks have, in their order. */
  readonly columns: readonly string[];
  readonly storage: RowStorage;
  readonly seed: number;
  /** Present when the rows have class labels. */
  readonly label?: { readonly classes?: Classes };
}

/**
 * Reads all sources in turn and divides their rows into one split per role.
 *
 * @throws {CkptError} DATA_CELL_INVALID at the first cell that cannot be used; DATA_SPLIT_EMPTY when a role of the
 * fractions gets no row; INVALID_OPTION when seed, fractions or classes are not valid, or two roles hold the same rows.
 */
export async function buildSplits(options: BuildSplitsOptions): Promise<readonly Split[]> {
  const { layout, sources, columns, storage, seed, label } = options;
  if (!Number.isSafeInteger(seed)) {
    throw new CkptError("INVALID_OPTION", { option: "seed", expected: "a whole number", found: String(seed) });
  }
  const encoder = label === undefined ? undefined : createLabelEncoder(label.classes);
  const ranges = sources.map(({ fractions }) => layOutFractions(fractions, "fractions"));
  const builder = createSplitBuilder({
    layout,
    columns,
    storage,
    seed,
    ranges,
    ...(encoder === undefined ? {} : { encoder }),
  });

  let rowCount = 0;
  for (const [index, source] of sources.entries()) {
    let firstRow = 0;
    for await (const block of source.readBlocks()) {
      const problem = builder.add(block, index, firstRow);
      if (problem !== undefined) throw await createCellError(source, problem);
      firstRow += block.rowCount;
    }
    rowCount += firstRow;
  }

  const resolved = encoder?.resolve();
  if (resolved !== undefined && "expected" in resolved) {
    throw await createCellError(sources[resolved.source]!, { ...resolved, column: "label" });
  }
  const splits = await builder.finish(resolved);
  for (const { role } of ranges.flat()) {
    if (splits.some((split) => split.role === role)) continue;
    const fractions = sources.map((source) => describeFractions(source.fractions)).join("; ");
    const files = sources.map(({ file }) => file);
    throw new CkptError("DATA_SPLIT_EMPTY", { files, split: role, rowCount, fractions });
  }
  rejectEqualSplits(splits);
  return splits;
}

async function createCellError(source: RowSource, { row, column, expected }: CellProblem): Promise<CkptError> {
  const cell = await source.describeCell(row, column);
  return new CkptError("DATA_CELL_INVALID", { file: source.file, row: row + 1, expected, ...cell });
}

/** The same file given for two roles would make the score on the one a score on the other. */
function rejectEqualSplits(splits: readonly Split[]): void {
  const roles = new Map<string, string>();
  for (const { role, digest } of splits) {
    const other = roles.get(digest);
    if (other !== undefined) {
      const found = `the same rows for ${other} and ${role}`;
      throw new CkptError("INVALID_OPTION", { option: "files", expected: "other rows for each role", found });
    }
    roles.set(digest, role);
  }
}
