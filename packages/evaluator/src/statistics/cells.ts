import { bootstrapUnitLimit } from "./estimate.js";
import { assignBlocks } from "./jackknife.js";
import { findUnits, type Sample, weightsOf } from "./units.js";

/** A sample cut into at most as many parts as are resampled one by one: what is kept of a candidate stays this small. */
export interface Cells {
  /** The cells in the place of rows, each with the weight of its rows; no weights where every row is a cell. */
  readonly sample: Sample;
  /** `[rows]`; absent where every row is a cell. */
  readonly ofRow?: Uint32Array;
}

/**
 * Up to {@link bootstrapUnitLimit} units (rows, or groups) each is a cell. Above, units are put together at random, so
 * that sorted rows do no harm; the cells are the same for all candidates.
 */
export function cutCells(sample: Sample): Cells {
  const units = findUnits(sample);
  if (units.ofRow === undefined && sample.weights === undefined && units.count <= bootstrapUnitLimit) {
    return { sample: { rowCount: sample.rowCount } };
  }
  const count = Math.min(units.count, bootstrapUnitLimit);
  const cellOf = assignBlocks(units.count, count);
  const ofRow = units.ofRow === undefined ? cellOf : Uint32Array.from(units.ofRow, (unit) => cellOf[unit] ?? 0);
  const weights = new Float64Array(count);
  const own = weightsOf(sample);
  for (const [row, cell] of ofRow.entries()) weights[cell] = (weights[cell] ?? 0) + (own[row] ?? 0);
  return { sample: { rowCount: count, weights }, ofRow };
}

/** The weighted mean of each cell, 0 for a cell without weight: their own weighted mean is that of the rows. */
export function averageCells(rowValues: Float64Array, sample: Sample, { ofRow, sample: cells }: Cells): Float64Array {
  if (ofRow === undefined) return rowValues;
  const own = weightsOf(sample);
  const sums = new Float64Array(cells.rowCount);
  for (const [row, cell] of ofRow.entries()) sums[cell] = (sums[cell] ?? 0) + (own[row] ?? 0) * (rowValues[row] ?? 0);
  return sums.map((sum, cell) => (cells.weights?.[cell] === 0 ? 0 : sum / (cells.weights?.[cell] ?? 1)));
}
