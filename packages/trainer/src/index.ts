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
export {
  type Checkpointer,
  type CheckpointerOptions,
  createCheckpointer,
  type StepOptions,
  type StepOutcome,
} from "./checkpointer.js";
export type { Clock } from "./clock.js";
export type { FitCallbackOptions, FitValidation } from "./fit-callback.js";
export { loadCheckpointModel } from "./load-checkpoint-model.js";
export type { Monitor, MonitorOptions } from "./metric-mode.js";
export type { Measurement, Moment, MomentMetrics, MomentView } from "./moment.js";
export type { ArrayDtype, NamedArray } from "./named-array.js";
export { onImprovement, type OnImprovementOptions } from "./on-improvement.js";
export { recomputeBatchNorm, type RecomputeBatchNormOptions } from "./recompute-batch-norm.js";
export {
  keepBest,
  keepLatest,
  type RetentionCandidate,
  type RetentionPolicy,
  selectKept,
  type SelectKeptOptions,
} from "./retention-policy.js";
export { openRun, type OpenRunOptions, type ResumePoint, type Run } from "./run.js";
export { allOf, anyOf, everyEpochs, everySteps, type SavePolicy, when } from "./save-policy.js";
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
