import { bootstrapInterval } from "./bootstrap-interval.js";
import type { Metric, ScoredRows } from "./metric.js";

/** What one row adds to a metric that is a mean over rows. */
export interface MeanMetricDefinition extends Omit<Metric, "init" | "update" | "merge" | "finalize"> {
  readonly scoreRow: (rows: ScoredRows, row: number) => number;
}

/** Makes a metric of a value per row: their mean in float64, with a bootstrap interval over rows. */
export function createMeanMetric({ scoreRow, ...definition }: MeanMetricDefinition): Metric<Float64Array[]> {
  return {
    ...definition,
    // The values are kept: the interval needs them, and so the sum runs in row order however the rows were cut.
    init: () => [],
    update: (state, rows) => {
      const values = new Float64Array(rows.rowCount);
      for (let row = 0; row < rows.rowCount; row++) values[row] = scoreRow(rows, row);
      state.push(values);
    },
    merge: (left, right) => [...left, ...right],
    finalize: (state) => {
      const values = concatenate(state);
      let sum = 0;
      for (const value of values) sum += value;
      return { value: sum / values.length, interval: bootstrapInterval(values) };
    },
  };
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
