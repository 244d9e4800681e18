import { createImprovementTracker, type ImprovementOptions, type ImprovementState } from "./improvement.js";
import type { SavePolicy } from "./save-policy.js";

/** The metric that has to improve, its direction, and by how much. */
export type OnImprovementOptions = ImprovementOptions;

/**
 * Saves when the monitored metric is better, by more than `minDelta`, than at the best checkpoint saved so far. The
 * first finite value is an improvement, if there is no `baseline` to beat; NaN and the infinities never are; an equal
 * value is not. At a moment where the metric was not measured nothing is saved. The best is the best *saved* one: a
 * value that another policy kept from being saved does not raise the bar; nor does one saved by another policy during
 * the warm-up. The moving average that `smoothing` asks for goes on at every measurement, saved or not.
 *
 * @throws {CkptError} INVALID_OPTION when an option is out of its range, or `mode` is left out for an unknown metric.
 */
export function onImprovement(options: OnImprovementOptions): SavePolicy {
  const tracker = createImprovementTracker(options);
  return {
    description: `${tracker.monitor.monitor} improved (${tracker.description})`,
    monitors: [tracker.monitor],
    initialState: tracker.initialState,
    shouldSave: (moment, state) => tracker.read(moment, state as ImprovementState).isImproved,
    advance: (moment, isSaved, state) => tracker.advance(moment, isSaved, state as ImprovementState),
  };
}
