export { pinCheckpoint, unpinCheckpoint } from "@ckpt/manifest";

export { amongBest } from "./among-best.js";
export {
  type AverageBatchNormOptions,
  type AveragedCheckpoint,
  averageCheckpoints,
  type AverageCheckpointsOptions,
} from "./average-checkpoints.js";
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
export { earlyStopping, type EarlyStoppingOptions } from "./early-stopping.js";
export type { FitCallbackOptions, FitValidation } from "./fit-callback.js";
export { createFolderHandler, type FolderHandlerOptions } from "./folder-handler.js";
export type { ImprovementOptions } from "./improvement.js";
export { keepBest } from "./keep-best.js";
export { keepEverySeconds } from "./keep-every-seconds.js";
export { keepEverySteps, keepLatest, keepSteps } from "./keep-steps.js";
export {
  cosineDecay,
  type CosineDecayOptions,
  exponentialDecay,
  type ExponentialDecayOptions,
  type LearningRatePosition,
  type LearningRateSchedule,
  linearWarmUp,
  type LinearWarmUpOptions,
  piecewiseConstant,
  type PiecewiseConstantOptions,
} from "./learning-rate.js";
export { loadCheckpointModel } from "./load-checkpoint-model.js";
export type { Monitor, MonitorOptions } from "./metric-mode.js";
export type { Measurement, Moment, MomentCause, MomentMetrics, MomentView } from "./moment.js";
export type { ArrayDtype, NamedArray } from "./named-array.js";
export { onImprovement, type OnImprovementOptions } from "./on-improvement.js";
export type { Predict } from "./probe-predict.js";
export { readCheckpointState } from "./read-checkpoint-state.js";
export { hasBatchNorm, recomputeBatchNorm, type RecomputeBatchNormOptions } from "./recompute-batch-norm.js";
export {
  type RetentionCandidate,
  type RetentionPolicy,
  selectKept,
  type SelectKeptOptions,
} from "./retention-policy.js";
export { openRun, type OpenRunOptions, type ResumePoint, type Run } from "./run.js";
export type { WhenSaving } from "./save-queue.js";
export {
  allOf,
  anyOf,
  atEnd,
  atSteps,
  everyEpochs,
  everySteps,
  onException,
  type SavePolicy,
  when,
} from "./save-policy.js";
export { createSeededRandom, type SeededRandom } from "./seeded-random.js";
export type { StopDecision, StopPolicy } from "./stop-policy.js";
export { everySeconds, whenIdle } from "./time-policies.js";
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
export { createVariablesState, type VariablesStateOptions } from "./variables-state.js";
export { type SignalWatch, watchSignals } from "./watch-signals.js";
