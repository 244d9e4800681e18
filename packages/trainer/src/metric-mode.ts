import { CkptError, type MetricMode } from "@ckpt/manifest";

/** A metric to watch and which way is better. */
export interface Monitor {
  readonly monitor: string;
  readonly mode: MetricMode;
}

/** A metric to watch; `mode` may be left out for the names in the table of {@link resolveMonitor}. */
export interface MonitorOptions {
  readonly monitor: string;
  readonly mode?: MetricMode;
}

/** Metrics whose direction is part of their definition, by exact name. Nothing is concluded from a part of a name. */
const modes: Readonly<Record<MetricMode, readonly string[]>> = {
  min: [
    "loss",
    "logLoss",
    "mse",
    "meanSquaredError",
    "rmse",
    "rootMeanSquaredError",
    "mae",
    "meanAbsoluteError",
    "mape",
    "meanAbsolutePercentageError",
    "msle",
    "meanSquaredLogarithmicError",
    "ce",
    "crossentropy",
    "binaryCrossentropy",
    "categoricalCrossentropy",
    "sparseCategoricalCrossentropy",
    "perplexity",
  ],
  max: [
    "acc",
    "accuracy",
    "binaryAccuracy",
    "categoricalAccuracy",
    "sparseCategoricalAccuracy",
    "precision",
    "recall",
    "f1",
    "auc",
    "r2",
    "r2Score",
  ],
};

const modeByName: ReadonlyMap<string, MetricMode> = new Map(
  (["min", "max"] as const).flatMap((mode) =>
    modes[mode].flatMap((name) => [[name, mode] as const, [`val_${name}`, mode] as const]),
  ),
);

/**
 * Completes a monitor: the mode given, or the one of a metric known by this exact name, with or without `val_`.
 *
 * @throws {CkptError} INVALID_OPTION when neither says which way is better.
 */
export function resolveMonitor({ monitor, mode }: MonitorOptions): Monitor {
  const resolved = mode ?? modeByName.get(monitor);
  if (resolved === undefined) {
    throw new CkptError("INVALID_OPTION", {
      option: "mode",
      expected: `"min" or "max", since ${monitor} is not a metric whose direction is known`,
      found: "nothing",
    });
  }
  return { monitor, mode: resolved };
}
