import { argmax } from "./argmax.js";
import type { KeptRows, RowRecord } from "./kept-rows.js";
import type { StatisticMetric } from "./metric.js";

/** Largest probability of a row, and whether that class is the label's: 8 bytes a row. */
const confidenceRecord: RowRecord = {
  dtype: "float32",
  width: () => 2,
  write: ({ predictions, labels, columnCount }, row, target, offset) => {
    const predicted = argmax(predictions, row * columnCount, columnCount);
    target[offset] = predictions[row * columnCount + predicted] ?? 0;
    target[offset + 1] = Number(predicted === labels[row]);
  },
};

/** Weight, sum of confidences and sum of hits of one bin. */
interface Bin {
  readonly weight: number;
  readonly confidence: number;
  readonly hits: number;
}

/**
 * Cuts the rows into bins of equal weight by rising confidence. Rows of equal confidence are one: where an edge falls
 * among them each bin takes its share, so their order makes no difference.
 */
function fillBins({ values }: KeptRows, order: Uint32Array, weights: Float64Array, binCount: number): readonly Bin[] {
  const size = order.reduce((sum, row) => sum + (weights[row] ?? 0), 0) / binCount;
  const bins: Bin[] = [];
  let [weight, confidence, hits] = [0, 0, 0];
  for (let at = 0; at < order.length;) {
    const level = values[2 * (order[at] ?? 0)] ?? 0;
    let [tied, tiedHits] = [0, 0];
    for (; at < order.length && values[2 * (order[at] ?? 0)] === level; at++) {
      const row = order[at] ?? 0;
      tied += weights[row] ?? 0;
      tiedHits += (weights[row] ?? 0) * (values[2 * row + 1] ?? 0);
    }
    const rate = tied === 0 ? 0 : tiedHits / tied;
    while (bins.length < binCount - 1 && weight + tied >= size) {
      const share = size - weight;
      bins.push({ weight: size, confidence: confidence + share * level, hits: hits + share * rate });
      tied -= share;
      [weight, confidence, hits] = [0, 0, 0];
    }
    weight += tied;
    confidence += tied * level;
    hits += tied * rate;
  }
  return [...bins, { weight, confidence, hits }];
}

function createCalibration(
  name: string,
  binCount: number,
  option: string,
  score: (bins: readonly Bin[], total: number) => number,
): StatisticMetric {
  return {
    kind: "statistic",
    name: `${name}${option}`,
    aliases: name === "ece" ? [`expectedCalibrationError${option}`, `calibrationError${option}`] : [],
    task: "classification",
    mode: "min",
    range: [0, 1],
    needsProbabilities: true,
    record: confidenceRecord,
    hasInterval: true,
    prepare: (rows) => {
      const order = Uint32Array.from({ length: rows.rowCount }, (_, row) => row).toSorted(
        (a, b) => (rows.values[2 * a] ?? 0) - (rows.values[2 * b] ?? 0),
      );
      return (weights) => {
        const bins = fillBins(rows, order, weights, binCount).filter((bin) => bin.weight > 0);
        return score(
          bins,
          bins.reduce((sum, bin) => sum + bin.weight, 0),
        );
      };
    },
  };
}

/** Expected calibration error with bins of equal mass: the mean distance between confidence and accuracy of a bin. */
export function createEce(binCount: number, option: string): StatisticMetric {
  return createCalibration(
    "ece",
    binCount,
    option,
    (bins, total) => bins.reduce((sum, { confidence, hits }) => sum + Math.abs(confidence - hits), 0) / total,
  );
}

/**
 * Root mean square calibration error with bins of equal mass, less what chance alone would give: from each bin's
 * squared distance a(1 - a) / (n - 1) is subtracted, and nothing is below 0.
 * Reference: A. Kumar, P. Liang and T. Ma, Verified Uncertainty Calibration (2019), section 4.
 */
export function createDebiasedCalibrationError(binCount: number, option: string): StatisticMetric {
  return createCalibration("rmsCalibrationErrorDebiased", binCount, option, (bins, total) => {
    const sum = bins.reduce((whole, { weight, confidence, hits }) => {
      const rate = hits / weight;
      const chance = weight > 1 ? (rate * (1 - rate)) / (weight - 1) : 0;
      return whole + weight * ((confidence / weight - rate) ** 2 - chance);
    }, 0);
    return Math.sqrt(Math.max(0, sum / total));
  });
}
