import type { MetricMode } from "@ckpt/manifest";

import { type CandidateReplicates, resampleCandidates, resampleMeans } from "./candidate-replicates.js";
import { averageCells, type Cells } from "./cells.js";
import { bootstrapUnitLimit } from "./estimate.js";
import { jackknife } from "./jackknife.js";
import type { Statistic } from "./resample.js";
import { packHits, type RowHits } from "./row-hits.js";
import { estimateSelection, type SelectionEstimate } from "./selection-estimate.js";
import { findUnits, type Sample, weightsOf } from "./units.js";

/**
 * One metric of one candidate, in the form that is compared with the others': the means of cells; up to
 * {@link bootstrapUnitLimit} units the function itself; above, its values with one block of rows left out.
 */
export type CandidateFigure =
  | { readonly kind: "mean"; readonly means: Float64Array; readonly hits?: RowHits }
  | { readonly kind: "statistic"; readonly statistic: Statistic }
  | { readonly kind: "left out"; readonly value: number; readonly leftOut: Float64Array };

/** A metric of one candidate before it is made small. */
export interface FigureSource {
  readonly statistic: Statistic;
  /** `[rows]`, when the statistic is their weighted mean. */
  readonly rowValues?: Float64Array;
  /** What a row has that is right; absent when rows are not right or wrong. */
  readonly rightValue?: 0 | 1;
}

/** Keeps of a metric what is needed to compare it; what is left does not grow with the rows beyond a bit for each. */
export function condenseFigure(
  { statistic, rowValues, rightValue }: FigureSource,
  sample: Sample,
  cells: Cells,
): CandidateFigure {
  if (rowValues !== undefined) {
    const means = averageCells(rowValues, sample, cells);
    // McNemar's test is of single rows, each by itself.
    const isCounted = rightValue !== undefined && sample.weights === undefined && sample.groups === undefined;
    return { kind: "mean", means, ...(isCounted ? { hits: packHits(rowValues, rightValue) } : {}) };
  }
  if (findUnits(sample).count <= bootstrapUnitLimit) return { kind: "statistic", statistic };
  const [leftOut = new Float64Array()] = jackknife([statistic], sample);
  return { kind: "left out", value: statistic(weightsOf(sample)), leftOut };
}

/**
 * Resamples the figures of one metric, all of one kind. Of values with a block left out the pseudo-values of the blocks
 * are resampled: b times the value less b - 1 times the value without the block, for b blocks.
 * Reference: J. Shao and D. Tu, The Jackknife and Bootstrap (1995), sections 1.3 and 2.3.
 */
export function resampleFigures(
  figures: readonly CandidateFigure[],
  sample: Sample,
  cells: Cells,
): CandidateReplicates {
  const means = figures.flatMap((figure) => (figure.kind === "mean" ? [figure.means] : []));
  if (means.length > 0) return resampleMeans(means, cells.sample);
  const statistics = figures.flatMap((figure) => (figure.kind === "statistic" ? [figure.statistic] : []));
  if (statistics.length > 0) return resampleCandidates(statistics, sample);
  const condensed = figures.flatMap((figure) => (figure.kind === "left out" ? [figure] : []));
  const blockCount = condensed[0]?.leftOut.length ?? 0;
  const influences = condensed.map(({ leftOut }) => {
    const mean = leftOut.reduce((sum, value) => sum + value, 0) / blockCount;
    return leftOut.map((value) => (blockCount - 1) * (mean - value));
  });
  const { replicates } = resampleMeans(influences, { rowCount: blockCount });
  return {
    values: condensed.map(({ value }) => value),
    replicates: replicates.map((own, index) => own.map((move) => move + (condensed[index]?.value ?? NaN))),
    leftOut: condensed.map(({ leftOut }) => leftOut),
  };
}

/**
 * What the best of the candidates is really worth; `undefined` where nothing is left of the rows to be outside.
 *
 * @param confidence - Coverage of the interval. Default: 0.95.
 */
export function correctSelection(
  figures: readonly CandidateFigure[],
  sample: Sample,
  cells: Cells,
  mode: MetricMode,
  confidence = 0.95,
): SelectionEstimate | undefined {
  const means = figures.flatMap((figure) => (figure.kind === "mean" ? [plainMean(figure.means)] : []));
  if (means.length > 0) return estimateSelection(means, cells.sample, mode, { confidence });
  const statistics = figures.flatMap((figure) => (figure.kind === "statistic" ? [figure.statistic] : []));
  return statistics.length > 0 ? estimateSelection(statistics, sample, mode, { confidence }) : undefined;
}

/** Not compensated: it is taken a thousand times, and then averaged. */
function plainMean(values: Float64Array): Statistic {
  return (weights) => {
    let [sum, total] = [0, 0];
    for (let row = 0; row < values.length; row++) {
      const weight = weights[row] ?? 0;
      sum += weight * (values[row] ?? 0);
      total += weight;
    }
    return sum / total;
  };
}
