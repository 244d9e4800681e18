import type { Metrics } from "@ckpt/manifest";

/**
 * Metrics by name, with the names that `model.fit` uses spelled out so that they can be written `metrics.val_loss`.
 * A metric that was not measured at a moment reads as NaN inside a {@link when} predicate, so comparisons with it are
 * false.
 */
export interface MomentMetrics extends Metrics {
  readonly loss: number;
  readonly val_loss: number;
  readonly acc: number;
  readonly val_acc: number;
  readonly accuracy: number;
  readonly val_accuracy: number;
  readonly mse: number;
  readonly val_mse: number;
  readonly mae: number;
  readonly val_mae: number;
}

/** One measurement of the run so far. */
export interface Measurement {
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  readonly metrics: Metrics;
}

/** Why policies are asked: right after an optimizer update, at the regular end of training, after an error ended it. */
export type MomentCause = "update" | "end" | "exception";

/**
 * What a policy is asked about: the state of training right after an optimizer update, or once more at the same step
 * when training ends. A step is saved at most once, whatever policies say.
 */
export interface Moment {
  readonly cause: MomentCause;
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** This update was the last one of an epoch. */
  readonly isEpochEnd: boolean;
  /** What was measured at this step; often nothing, and not always everything. */
  readonly metrics: Metrics;
  /** Every measurement of the run so far, this moment's last. */
  readonly history: readonly Measurement[];
  /**
   * Seconds that this process has trained since it last saved a checkpoint or, before its first, since it began; by a
   * clock that never goes back.
   */
  readonly secondsSinceSave: number;
  /** No checkpoint is being written just now. */
  readonly isIdle: boolean;
}

/** A moment as a predicate sees it. */
export interface MomentView extends Omit<Moment, "metrics"> {
  readonly metrics: MomentMetrics;
}

/** Makes every metric readable; one that was not measured reads as NaN. */
export function viewMoment(moment: Moment): MomentView {
  const metrics = new Proxy(moment.metrics, {
    get: (target, name) => (typeof name === "string" ? (target[name] ?? Number.NaN) : undefined),
  });
  return { ...moment, metrics: metrics as MomentMetrics };
}
