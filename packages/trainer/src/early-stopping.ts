import { createImprovementTracker, type ImprovementOptions, type ImprovementState } from "./improvement.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import type { StopPolicy } from "./stop-policy.js";

/** The metric that has to go on improving, what counts as an improvement, and how long one is waited for. */
export interface EarlyStoppingOptions extends ImprovementOptions {
  /** Training stops after so many measurements of the metric, one after the other, without an improvement. */
  readonly patience: number;
  /** At the end put the weights of the best saved checkpoint by this metric back. Default: false. */
  readonly restoreBest?: boolean;
}

type EarlyStoppingState = {
  readonly improvement: ImprovementState;
  /** The step of the last improvement. */
  readonly bestStep: number | null;
  /** Measurements since then. */
  readonly waited: number;
};

/**
 * Stops training when a metric has not improved for `patience` measurements. Moments where it was not measured do not
 * count; NaN and the infinities count as no improvement. The value to beat is the last that was an improvement, so small
 * ones that add up to more than `minDelta` are one in the end.
 *
 * As Keras' `EarlyStopping`, with steps for epochs (`warmUpSteps` for `start_from_epoch`: nothing up to there counts),
 * except that
 *
 * - an infinite value is never an improvement; there the first infinity on the better side is, and nothing beats it;
 * - `baseline` is the first value to beat, and one that misses it is no improvement; there such a value may still be the
 *   best so far: it does not renew the patience, but training never stops at it;
 * - `patience` is at least 1, which is also what 0, the default there, comes to; and it can run out at the first
 *   measurement;
 * - an absent metric is passed over without a warning, since the trainer checks that every monitored metric is measured;
 * - the best weights are those of the best *saved* checkpoint by the metric itself, not smoothed, over the whole run.
 *
 * @throws {CkptError} INVALID_OPTION when an option is out of its range, or `mode` is left out for an unknown metric.
 */
export function earlyStopping(options: EarlyStoppingOptions): StopPolicy {
  const { patience, restoreBest = false, smoothing = 0, baseline } = options;
  requirePositiveInteger("patience", patience);
  const tracker = createImprovementTracker(options);
  const { monitor } = tracker.monitor;
  const measurements = `${patience} measurement${patience === 1 ? "" : "s"}`;

  const explain = ({ improvement: { best }, bestStep }: EarlyStoppingState): string => {
    const failed = `${monitor} did not improve for ${measurements}`;
    if (best !== null) return `${failed}; best ${smoothing === 0 ? "" : "average "}${best} at step ${bestStep}`;
    return `${failed}; ${baseline === undefined ? "none was finite" : `none beat the baseline ${baseline}`}`;
  };
  const initialState: EarlyStoppingState = { improvement: tracker.initialState, bestStep: null, waited: 0 };
  return {
    description:
      `${monitor} did not improve for ${measurements} (${tracker.description})` +
      (restoreBest ? ", then its best saved weights are put back" : ""),
    monitors: [tracker.monitor],
    initialState,
    advance: (moment, state) => {
      const { improvement, bestStep, waited } = state as EarlyStoppingState;
      const { isImproved, isCounted } = tracker.read(moment, improvement);
      const next: EarlyStoppingState = {
        improvement: tracker.advance(moment, isImproved, improvement),
        bestStep: isImproved ? moment.step : bestStep,
        waited: isImproved ? 0 : waited + Number(isCounted),
      };
      return next.waited < patience ? { state: next } : { state: next, stop: explain(next) };
    },
    ...(restoreBest ? { restoreBest: tracker.monitor } : {}),
  };
}
