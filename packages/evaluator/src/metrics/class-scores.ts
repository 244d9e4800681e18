import { type ClassCounts, classRecord, countClasses, countLabels, labelRecord } from "./class-record.js";
import type { StatisticMetric } from "./metric.js";

/** One class against all others: true and false positives and negatives, weighted. */
export interface BinaryCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

type ClassScore = (counts: BinaryCounts) => number;
type Averaging = "own" | "macro" | "micro" | "weighted";

/** A score of nothing is 0, as scikit-learn's `zero_division=0`. */
function divide(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Share of the rows predicted to be of the class that are. */
export const precisionOf: ClassScore = (c) => divide(c.truePositives, c.truePositives + c.falsePositives);
/** Share of the rows of the class that are found. */
export const recallOf: ClassScore = (c) => divide(c.truePositives, c.truePositives + c.falseNegatives);
/** Share of the rows of other classes that are not taken for this one. */
export const specificityOf: ClassScore = (c) => divide(c.trueNegatives, c.trueNegatives + c.falsePositives);
/** Hits beside all rows that are of the class or predicted to be. */
export const jaccardOf: ClassScore = (c) =>
  divide(c.truePositives, c.truePositives + c.falsePositives + c.falseNegatives);

/** Harmonic mean of precision and recall, where recall counts `beta` times as much. */
export function createFBeta(beta: number): ClassScore {
  const b2 = beta * beta;
  return (c) =>
    divide((1 + b2) * c.truePositives, (1 + b2) * c.truePositives + b2 * c.falseNegatives + c.falsePositives);
}

/** One class's part of the counts. */
export function selectClass({ hit, predicted, actual, total }: ClassCounts, index: number): BinaryCounts {
  const truePositives = hit[index] ?? 0;
  const falsePositives = (predicted[index] ?? 0) - truePositives;
  const falseNegatives = (actual[index] ?? 0) - truePositives;
  return {
    truePositives,
    falsePositives,
    falseNegatives,
    trueNegatives: total - truePositives - falsePositives - falseNegatives,
  };
}

/**
 * A score averaged over classes. `macro` is the mean of the classes that occur among labels or predictions, as in
 * scikit-learn and torchmetrics; `weighted` weighs them by their labels; `micro` counts all as one.
 */
function average(
  score: ClassScore,
  counts: ClassCounts,
  averaging: "macro" | "micro" | "weighted",
  isEveryClass: boolean,
): number {
  let [sum, weightSum] = [0, 0];
  let [truePositives, falsePositives, falseNegatives, trueNegatives] = [0, 0, 0, 0];
  for (let index = 0; index < counts.actual.length; index++) {
    const binary = selectClass(counts, index);
    truePositives += binary.truePositives;
    falsePositives += binary.falsePositives;
    falseNegatives += binary.falseNegatives;
    trueNegatives += binary.trueNegatives;
    const occurs = isEveryClass || binary.truePositives + binary.falsePositives + binary.falseNegatives > 0;
    const weight = averaging === "weighted" ? (counts.actual[index] ?? 0) : Number(occurs);
    if (weight === 0) continue;
    sum += weight * score(binary);
    weightSum += weight;
  }
  if (averaging === "micro") return score({ truePositives, falsePositives, falseNegatives, trueNegatives });
  return divide(sum, weightSum);
}

const averagings: readonly Averaging[] = ["own", "macro", "micro", "weighted"];
const suffixes = { own: "", macro: "Macro", micro: "Micro", weighted: "Weighted" } as const;

/**
 * A score in all its averages, for classes and for labels. Without a suffix it is the score of class 1 of two, and the
 * macro average of more classes or of labels. An option stands behind the suffix: `fBetaMacro@2`.
 */
export function createClassScores(
  name: string,
  aliases: readonly string[],
  score: ClassScore,
  option = "",
): readonly StatisticMetric[] {
  return averagings.flatMap((averaging) => {
    const header = {
      kind: "statistic",
      name: `${name}${suffixes[averaging]}${option}`,
      aliases: aliases.map((alias) => `${alias}${suffixes[averaging]}${option}`),
      mode: "max",
      range: [0, 1],
      needsProbabilities: false,
      hasInterval: true,
    } as const;
    const overAll = averaging === "own" ? "macro" : averaging;
    return [
      {
        ...header,
        task: "classification",
        record: classRecord,
        prepare: (rows) => (weights) => {
          const counts = countClasses(rows, weights);
          return averaging === "own" && rows.columnCount === 2
            ? score(selectClass(counts, 1))
            : average(score, counts, overAll, false);
        },
      },
      {
        ...header,
        task: "multilabel",
        record: labelRecord,
        prepare: (rows) => (weights) => average(score, countLabels(rows, weights), overAll, true),
      },
    ] satisfies StatisticMetric[];
  });
}
