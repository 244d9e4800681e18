import { CkptError } from "@ckpt/manifest";

import type { Task } from "../task.js";
import { accuracy, createTopKAccuracy, hammingLoss, labelHammingLoss, subsetAccuracy } from "./accuracy.js";
import { balancedAccuracy, cohenKappa, matthewsCorrcoef } from "./agreement.js";
import { brierScore, labelBrierScore } from "./brier-score.js";
import { createDebiasedCalibrationError, createEce } from "./calibration.js";
import { createClassScores, createFBeta, jaccardOf, precisionOf, recallOf, specificityOf } from "./class-scores.js";
import { createDeviance } from "./deviance.js";
import { labelLogLoss, logLoss } from "./log-loss.js";
import type { Metric } from "./metric.js";
import { medianAbsoluteError, pearson, spearman } from "./order-statistics.js";
import { rankingMetrics } from "./ranking-metrics.js";
import { createPinball, mae, mape, maxError, mse, r2, rmse, smape } from "./regression.js";
import { perplexity, tokenAccuracy } from "./sequence.js";

/** Metrics that take a number: `topKAccuracy@3`. */
interface MetricFamily {
  /** The number when none is given. */
  readonly standard: number;
  readonly expected: string;
  isValid(option: number): boolean;
  /** @param suffix - `@` and the option, or nothing for the standard one. */
  create(option: number, suffix: string): readonly Metric[];
}

const isCount = (option: number): boolean => Number.isInteger(option) && option >= 1;

const families: readonly MetricFamily[] = [
  {
    standard: 2,
    expected: "a whole number from 1",
    isValid: isCount,
    create: (k, suffix) => [createTopKAccuracy(k, suffix)],
  },
  {
    standard: 2,
    expected: "a number above 0",
    isValid: (beta) => beta > 0,
    create: (beta, suffix) => createClassScores("fBeta", ["fbeta", "fbetaScore"], createFBeta(beta), suffix),
  },
  {
    standard: 15,
    expected: "a whole number of bins from 1",
    isValid: isCount,
    create: (bins, suffix) => [createEce(bins, suffix), createDebiasedCalibrationError(bins, suffix)],
  },
  {
    standard: 0.5,
    expected: "a quantile between 0 and 1",
    isValid: (level) => level > 0 && level < 1,
    create: (level, suffix) => [createPinball(level, suffix)],
  },
  {
    standard: 0,
    expected: "a power, but none between 0 and 1",
    isValid: (power) => power <= 0 || power >= 1,
    create: (power, suffix) => [createDeviance(`tweedieDeviance${suffix}`, [`meanTweedieDeviance${suffix}`], power)],
  },
];

/** All metrics there are; those that take an option with their standard one. */
export const metrics: readonly Metric[] = [
  accuracy,
  logLoss,
  balancedAccuracy,
  ...createClassScores("precision", ["precisionScore", "ppv"], precisionOf),
  ...createClassScores("recall", ["recallScore", "sensitivity"], recallOf),
  ...createClassScores("f1", ["f1Score"], createFBeta(1)),
  ...createClassScores("specificity", [], specificityOf),
  ...createClassScores("jaccard", ["jaccardScore"], jaccardOf),
  matthewsCorrcoef,
  cohenKappa,
  hammingLoss,
  brierScore,
  ...rankingMetrics,
  subsetAccuracy,
  labelLogLoss,
  labelHammingLoss,
  labelBrierScore,
  mse,
  mae,
  rmse,
  r2,
  mape,
  smape,
  maxError,
  medianAbsoluteError,
  pearson,
  spearman,
  createDeviance("poissonDeviance", ["meanPoissonDeviance"], 1),
  createDeviance("gammaDeviance", ["meanGammaDeviance"], 2),
  tokenAccuracy,
  perplexity,
  ...families.flatMap((family) => family.create(family.standard, "")),
];

/** What is computed of a task when nothing is asked for; the first one ranks. */
export const defaultMetrics: Readonly<Record<Task["kind"], readonly string[]>> = {
  classification: ["accuracy", "logLoss"],
  multilabel: ["f1Macro", "logLoss"],
  regression: ["mse", "mae"],
  sequence: ["perplexity", "tokenAccuracy"],
};

/**
 * Finds a metric by its name or an alias, in camelCase or snake_case, with an option behind `@` where it takes one.
 *
 * @param task - Leaves only the metrics for this task, if given; without it a name that several tasks have is the one
 *   of classification.
 * @throws {CkptError} METRIC_NOT_FOUND with the names there are, INVALID_OPTION when the option is out of its range.
 */
export function findMetric(name: string, task?: Task["kind"]): Metric {
  const [base = "", ...options] = name.split("@");
  const wanted = toCamelCase(base);
  const isFor = (metric: Metric): boolean => task === undefined || metric.task === task;
  const isNamed = (metric: Metric): boolean => metric.name === wanted || metric.aliases.includes(wanted);
  const found =
    options.length === 0
      ? metrics.find((metric) => isFor(metric) && isNamed(metric))
      : createWith(name, options.join("@"), (metric) => isFor(metric) && isNamed(metric));
  if (found !== undefined) return found;
  throw new CkptError("METRIC_NOT_FOUND", {
    metric: name,
    available: [...new Set(metrics.filter(isFor).map((metric) => metric.name))],
  });
}

/**
 * A metric by its name, or one of your own as it is.
 *
 * @throws {CkptError} METRIC_NOT_FOUND, also when it is for another task; what {@link findMetric} throws.
 */
export function resolveMetric(wanted: string | Metric, task: Task["kind"]): Metric {
  if (typeof wanted === "string") return findMetric(wanted, task);
  if (wanted.task === task) return wanted;
  throw new CkptError("METRIC_NOT_FOUND", { metric: `${wanted.name} of ${task}`, available: defaultMetrics[task] });
}

function createWith(name: string, text: string, isWanted: (metric: Metric) => boolean): Metric | undefined {
  const option = text.trim() === "" ? NaN : Number(text);
  for (const family of families) {
    const { standard, expected } = family;
    const index = family.create(standard, "").findIndex(isWanted);
    if (index === -1) continue;
    if (!Number.isFinite(option) || !family.isValid(option)) {
      throw new CkptError("INVALID_OPTION", { option: name, expected: `${expected} behind @`, found: text });
    }
    return family.create(option, option === standard ? "" : `@${option}`)[index];
  }
  return undefined;
}

function toCamelCase(name: string): string {
  return name.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
