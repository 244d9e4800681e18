import type { KeptRows, RowRecord } from "./kept-rows.js";
import type { StatisticMetric } from "./metric.js";
import { areaUnderPr, areaUnderRoc, averagePrecisionOf, type RankedClass, rankClass } from "./ranked-class.js";

/** Label and score of class 1 of two, or label and scores of all classes: 8 bytes a row, or 4 a class and 4. */
const scoreRecord: RowRecord = {
  dtype: "float32",
  width: (columnCount) => (columnCount === 2 ? 2 : columnCount + 1),
  write: ({ predictions, labels, columnCount }, row, target, offset) => {
    target[offset] = labels[row] ?? 0;
    const first = columnCount === 2 ? 1 : 0;
    for (let column = first; column < columnCount; column++) {
      target[offset + 1 + column - first] = predictions[row * columnCount + column] ?? 0;
    }
  },
};

/** Labels, then scores: 8 bytes a label. */
const labelScoreRecord: RowRecord = {
  dtype: "float32",
  width: (columnCount) => 2 * columnCount,
  write: ({ predictions, labels, columnCount }, row, target, offset) => {
    for (let column = 0; column < columnCount; column++) {
      target[offset + column] = labels[row * columnCount + column] ?? 0;
      target[offset + columnCount + column] = predictions[row * columnCount + column] ?? 0;
    }
  },
};

interface Ranked {
  readonly classes: readonly RankedClass[];
  /** Weight of each class's rows. */
  support(weights: Float64Array): readonly number[];
}

// Sorting is most of the work, and the three areas of a class sort alike.
const rankedRows = new WeakMap<KeptRows["values"], Ranked>();

function rankRows(rows: KeptRows, task: "classification" | "multilabel"): Ranked {
  const known = rankedRows.get(rows.values);
  if (known !== undefined) return known;
  const { rowCount, columnCount, width, values } = rows;
  const isBinary = task === "classification" && columnCount === 2;
  const indices = isBinary ? [1] : Array.from({ length: columnCount }, (_, index) => index);
  const isOf = (row: number, index: number): boolean =>
    task === "classification" ? values[row * width] === index : values[row * width + index] === 1;
  const scoreAt = (index: number): number =>
    isBinary ? 1 : task === "classification" ? 1 + index : columnCount + index;
  const classes = indices.map((index) =>
    rankClass(
      rowCount,
      (row) => values[row * width + scoreAt(index)] ?? 0,
      (row) => isOf(row, index),
    ),
  );
  const support = (weights: Float64Array): readonly number[] =>
    classes.map(({ order, isPositive }) =>
      order.reduce((sum, row, at) => (isPositive[at] === 1 ? sum + (weights[row] ?? 0) : sum), 0),
    );
  const ranked = { classes, support };
  rankedRows.set(rows.values, ranked);
  return ranked;
}

function createAreas(
  name: string,
  aliases: Readonly<Record<string, readonly string[]>>,
  area: (ranked: RankedClass, weights: Float64Array) => number,
  undefinedBecause: string,
): readonly StatisticMetric[] {
  const make = (task: "classification" | "multilabel", suffix: "" | "Weighted" | "Micro"): StatisticMetric => ({
    kind: "statistic",
    name: `${name}${suffix}`,
    aliases: aliases[suffix] ?? [],
    task,
    mode: "max",
    range: [0, 1],
    needsProbabilities: false,
    undefinedBecause,
    record: task === "classification" ? scoreRecord : labelScoreRecord,
    hasInterval: true,
    prepare: (rows) => {
      if (suffix === "Micro") return prepareMicro(rows, area);
      const ranked = rankRows(rows, task);
      const { classes } = ranked;
      return (weights) => {
        const areas = classes.map((rankedClass) => area(rankedClass, weights));
        const shares = suffix === "Weighted" && classes.length > 1 ? ranked.support(weights) : areas.map(() => 1);
        const sum = areas.reduce((total, value, index) => total + value * (shares[index] ?? 0), 0);
        return sum / shares.reduce((total, share) => total + share, 0);
      };
    },
  });
  return [
    make("classification", ""),
    make("classification", "Weighted"),
    make("multilabel", ""),
    make("multilabel", "Weighted"),
    make("multilabel", "Micro"),
  ];
}

/** All labels of all rows as rows of one class. */
function prepareMicro(
  { rowCount, columnCount, width, values }: KeptRows,
  area: (ranked: RankedClass, weights: Float64Array) => number,
): (weights: Float64Array) => number {
  const at = (cell: number): number => Math.floor(cell / columnCount) * width + (cell % columnCount);
  const ranked = rankClass(
    rowCount * columnCount,
    (cell) => values[at(cell) + columnCount] ?? 0,
    (cell) => values[at(cell)] === 1,
  );
  const spread = new Float64Array(rowCount * columnCount);
  return (weights) => {
    for (let cell = 0; cell < spread.length; cell++) spread[cell] = weights[Math.floor(cell / columnCount)] ?? 0;
    return area(ranked, spread);
  };
}

/**
 * ROC AUC, average precision and the area under the precision-recall curve: of class 1 of two; of more classes each
 * against the rest, and of labels, the mean or, `Weighted`, the mean by support; of labels also `Micro`. Exact, so the
 * scores of all rows are kept. ROC AUC is not defined unless every class has rows and lacks some, the other area unless
 * every class has rows.
 */
export const rankingMetrics: readonly StatisticMetric[] = [
  ...createAreas(
    "rocAuc",
    { "": ["auc", "rocAucScore", "auroc", "rocAucOvr"], Weighted: ["rocAucOvrWeighted"] },
    areaUnderRoc,
    "a class has no rows, or all of them",
  ),
  ...createAreas("averagePrecision", { "": ["averagePrecisionScore"] }, averagePrecisionOf, "there are no rows"),
  ...createAreas("prAuc", { "": ["precisionRecallAuc"] }, areaUnderPr, "a class has no rows"),
];
