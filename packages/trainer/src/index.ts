export {
  type Checkpoint,
  type FoundCheckpoints,
  listCheckpoints,
  readCheckpoint,
  type SkippedCheckpoint,
} from "./checkpoint-store.js";
export type {
  Checkpointer,
  CheckpointerOptions,
  SaveEvent,
  StepOptions,
  StepOutcome,
  Stopping,
} from "./checkpointer.js";
export type { Clock } from "./clock.js";
export { createCheckpointer } from "./create-checkpointer.js";
export type { FitCallbackOptions, FitValidation } from "./fit-callback.js";
export { loadCheckpointModel } from "./load-checkpoint-model.js";
export type { Monitor, MonitorOptions } from "./metric-mode.js";
export type { Measurement, Moment, MomentMetrics, MomentView } from "./moment.js";
export type { ArrayDtype, NamedArray } from "./named-array.js";
export { onImprovement, type OnImprovementOptions } from "./on-improvement.js";
export { keepBest } from "./keep-best.js";
export { keepLatest } from "./keep-steps.js";
export {
  type RetentionCandidate,
  type RetentionPolicy,
  selectKept,
  type SelectKeptOptions,
} from "./retention-policy.js";
export { pinCheckpoint, unpinCheckpoint } from "./pin-checkpoint.js";
export { openRun, type OpenRunOptions, type ResumePoint, type Run } from "./run.js";
export { allOf, anyOf, everyEpochs, everySteps, type SavePolicy, when } from "./save-policy.js";
export type { WhenSaving } from "./save-queue.js";
export { createSeededRandom, type SeededRandom } from "./seeded-random.js";
export { train, type TrainOptions, type TrainOutcome } from "./train.js";
export type { TrainProgress } from "./train-progress.js";
export type {
  OptimizerSlot,
  OptimizerSnapshot,
  RestorableState,
  StateSnapshot,
  TrainingState,
} from "./training-state.js";
export type { TrainingPosition } from "./training-state-document.js";
export { type SignalWatch, watchSignals } from "./watch-signals.js";
