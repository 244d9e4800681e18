import { compareMetric, type SliceEstimates } from "@ckpt/manifest";

import { type MeasuredRows, measureSubset } from "./measurement.js";
import type { Metric } from "./metric.js";

/** A part of the rows. Parts may overlap. */
export interface Slice {
  readonly name: string;
  /** @param row - Number of the row in the split, from 0. */
  includes(row: number): boolean;
}

/** One slice for each value of a column `[rows]`, named `column=value`, in the order of the values. */
export function sliceByColumn(column: string, values: readonly (string | number)[]): readonly Slice[] {
  const distinct = [...new Set(values)].toSorted((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
  return distinct.map((value) => ({ name: `${column}=${value}`, includes: (row) => values[row] === value }));
}

/** What {@link measureSlices} found. */
export interface MeasuredSlices {
  readonly slices: readonly SliceEstimates[];
  /** By metric: the worst slice of those with at least the rows asked for. */
  readonly worstSlices: Readonly<Record<string, string>>;
}

/**
 * The metrics of each slice. A slice without rows has none; one with less than `minRowCount` is shown, but is never the
 * worst: a few rows are soon all wrong.
 *
 * @param confidence - Coverage of the intervals. Default: 0.95.
 */
export function measureSlices(
  metrics: readonly Metric[],
  rows: MeasuredRows,
  slices: readonly Slice[],
  minRowCount: number,
  confidence = 0.95,
): MeasuredSlices {
  const allRows = Array.from({ length: rows.sample.rowCount }, (_, row) => row);
  const measured = slices.map((slice): SliceEstimates => {
    const { name } = slice;
    const indices = Uint32Array.from(allRows.filter((row) => slice.includes(row)));
    if (indices.length === 0) return { name, rowCount: 0, metrics: {} };
    const { metrics: found, notDefined } = measureSubset(metrics, rows, indices, confidence);
    const rowCount = indices.length;
    return { name, rowCount, metrics: found, ...(Object.keys(notDefined).length === 0 ? {} : { notDefined }) };
  });
  const worstSlices: Record<string, string> = {};
  for (const { name, mode } of metrics) {
    const [worst] = measured
      .filter((slice) => slice.rowCount >= minRowCount && slice.metrics[name] !== undefined)
      .toSorted((a, b) => compareMetric(valueOf(b, name), valueOf(a, name), mode));
    if (worst !== undefined) worstSlices[name] = worst.name;
  }
  return { slices: measured, worstSlices };
}

function valueOf(slice: SliceEstimates, metric: string): number {
  return slice.metrics[metric]?.value ?? NaN;
}
