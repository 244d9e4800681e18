import type { MetricEstimate } from "@ckpt/manifest";

import { type MeasuredRows, prepareStatistic } from "./metrics/measurement.js";
import type { Metric } from "./metrics/metric.js";
import {
  type CandidateFigure,
  condenseFigure,
  correctSelection,
  type FigureSource,
  resampleFigures,
} from "./statistics/candidate-figure.js";
import type { CandidateReplicates } from "./statistics/candidate-replicates.js";
import { type Cells, cutCells } from "./statistics/cells.js";
import type { RowHits } from "./statistics/row-hits.js";
import type { Sample } from "./statistics/units.js";

/** The primary metric of candidates on shared resamples, and the rows each has right. */
export interface ComparedFigures {
  readonly resampled?: CandidateReplicates;
  /** `[candidate]`; only of metrics whose rows are right or wrong. */
  readonly hits?: readonly (RowHits | undefined)[];
}

/** Takes in candidates one after the other, all on the same rows, and then compares them. */
export interface FigureTable {
  add(id: string, rows: MeasuredRows): void;
  /** In the order of the ids; one that was not added has no value. Nothing for a metric that cannot be resampled. */
  compare(ids: readonly string[]): ComparedFigures;
  /**
   * What the best of these is worth on other rows: the bootstrap-bias-corrected estimate. Of less than two: nothing.
   *
   * @param confidence - Coverage of the interval. Default: 0.95.
   */
  correct(ids: readonly string[], confidence?: number): MetricEstimate | undefined;
}

/** Makes an empty table of one metric. Metrics that accumulate by themselves are not compared. */
export function createFigureTable(metric: Metric): FigureTable {
  const figures = new Map<string, CandidateFigure>();
  let plan: { readonly sample: Sample; readonly cells: Cells } | undefined;
  return {
    add(id, rows) {
      const source = describeSource(metric, rows);
      if (source === undefined) return;
      plan ??= { sample: rows.sample, cells: cutCells(rows.sample) };
      figures.set(id, condenseFigure(source, plan.sample, plan.cells));
    },
    compare(ids) {
      if (plan === undefined) return {};
      const known = ids.filter((id) => figures.has(id));
      // Nothing to compare one with: a race may have left no other, and resampling takes longer than all of its scoring.
      if (known.length < 2) return { resampled: { values: ids.map(() => NaN), replicates: [], leftOut: [] } };
      const found = known.flatMap((id) => figures.get(id) ?? []);
      const { values, replicates, leftOut } = resampleFigures(found, plan.sample, plan.cells);
      const at = ids.map((id) => known.indexOf(id));
      const hits = ids.map((id) => hitsOf(figures.get(id)));
      return {
        resampled: {
          values: at.map((index) => values[index] ?? NaN),
          replicates: at.map((index) => replicates[index] ?? new Float64Array()),
          leftOut: at.map((index) => leftOut[index] ?? new Float64Array()),
        },
        ...(hits.some((own) => own !== undefined) ? { hits } : {}),
      };
    },
    correct(ids, confidence) {
      const found = ids.flatMap((id) => figures.get(id) ?? []);
      if (plan === undefined || found.length < 2) return undefined;
      const estimate = correctSelection(found, plan.sample, plan.cells, metric.mode, confidence);
      if (estimate === undefined || !Number.isFinite(estimate.value)) return undefined;
      const { value, interval } = estimate;
      return interval?.every(Number.isFinite) === true ? { value, interval } : { value };
    },
  };
}

function describeSource(metric: Metric, rows: MeasuredRows): FigureSource | undefined {
  if (metric.kind === "accumulator") return undefined;
  const statistic = prepareStatistic(metric, rows);
  if (metric.kind === "statistic") return metric.hasInterval ? { statistic } : undefined;
  const rowValues = metric.rowValues(rows.recordOf(metric.record));
  if (!metric.isProportion) return { statistic, rowValues };
  return { statistic, rowValues, rightValue: metric.mode === "max" ? 1 : 0 };
}

function hitsOf(figure: CandidateFigure | undefined): RowHits | undefined {
  return figure?.kind === "mean" ? figure.hits : undefined;
}
