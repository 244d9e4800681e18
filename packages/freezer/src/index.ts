export { type BoundTemplate, capture, type Template } from "./capture.js";
export type { FunctionOptions, VariablesModel } from "./computation.js";
export { freeze, type FreezeOptions, freezeRun, type FreezeRunOptions } from "./freeze.js";
export type { FormatOptions, FreezeResult, UnverifiedFormat } from "./freeze-options.js";
export type { FreezeProgress } from "./progress.js";
export { readWeights } from "./read-weights.js";
export type { SavedWeight } from "./saved-weights.js";
export { readSource } from "./read-source.js";
export type {
  CheckpointSource,
  GraphModelSource,
  LayersModelSource,
  ModelSource,
  RunSource,
  Source,
} from "./source.js";
export type { WorkerOptions } from "./worker-options.js";
