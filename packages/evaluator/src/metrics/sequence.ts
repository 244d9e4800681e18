import { weightedMean } from "../statistics/weighted-mean.js";
import { argmax } from "./argmax.js";
import type { KeptRows, RowRecord } from "./kept-rows.js";
import { negativeLog } from "./log-loss.js";
import type { ScoredRows, StatisticMetric } from "./metric.js";

/** Sum of a score over the positions of a row that are no padding, and how many those are: 16 bytes a row. */
function recordTokens(score: (rows: ScoredRows, start: number, label: number) => number): RowRecord {
  return {
    dtype: "float64",
    width: () => 2,
    write: (rows, row, target, offset) => {
      const positions = rows.labels.length / rows.rowCount;
      let [sum, count] = [0, 0];
      for (let index = row * positions; index < (row + 1) * positions; index++) {
        const label = rows.labels[index] ?? -1;
        if (label < 0) continue;
        sum += score(rows, index * rows.columnCount, label);
        count += 1;
      }
      target[offset] = sum;
      target[offset + 1] = count;
    },
  };
}

/** Sum over sum: every token counts alike, however long its row. */
function prepareRatio({ rowCount, values }: KeptRows): (weights: Float64Array) => number {
  const sums = Float64Array.from({ length: rowCount }, (_, row) => values[2 * row] ?? 0);
  const counts = Float64Array.from({ length: rowCount }, (_, row) => values[2 * row + 1] ?? 0);
  return (weights) => weightedMean(sums, weights) / weightedMean(counts, weights);
}

const header = {
  kind: "statistic",
  task: "sequence",
  undefinedBecause: "every position is padding",
  hasInterval: true,
} as const;

/** Fraction of tokens whose largest prediction is the label's. Resampled by rows, whose tokens belong together. */
export const tokenAccuracy: StatisticMetric = {
  ...header,
  name: "tokenAccuracy",
  aliases: [],
  mode: "max",
  range: [0, 1],
  needsProbabilities: false,
  record: recordTokens(({ predictions, columnCount }, start, label) =>
    Number(argmax(predictions, start, columnCount) === label),
  ),
  prepare: prepareRatio,
};

/** e to the mean of -ln p of the labels' classes over all tokens, p clipped as for `logLoss`. */
export const perplexity: StatisticMetric = {
  ...header,
  name: "perplexity",
  aliases: [],
  mode: "min",
  range: [1, 2 ** 23],
  needsProbabilities: true,
  record: recordTokens(({ predictions }, start, label) => negativeLog(predictions[start + label] ?? 0)),
  prepare: (rows) => {
    const ratio = prepareRatio(rows);
    return (weights) => Math.exp(ratio(weights));
  },
};
