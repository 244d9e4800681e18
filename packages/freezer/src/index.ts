export { type BoundTemplate, capture, type Template } from "./capture.js";
export type { FunctionOptions, VariablesModel } from "./computation.js";
export { quantizedTolerances } from "./choose-formats.js";
export {
  type ArtifactComparison,
  compareArtifacts,
  type GraphComparison,
  type WeightDifference,
} from "./compare-artifacts.js";
export { type ArtifactDrawing, drawArtifact, type DrawingFormat } from "./draw-artifact.js";
export { freeze, type FreezeOptions, freezeRun, type FreezeRunOptions } from "./freeze.js";
export { freezeFolder, type FreezeFolderOptions } from "./freeze-folder.js";
export type { FormatOptions, FreezeResult, GraphOptions, UnverifiedFormat } from "./freeze-options.js";
export type { FreezeProgress } from "./progress.js";
export { readWeights } from "./read-weights.js";
export type { SavedWeight } from "./saved-weights.js";
export { readSource, type ReadSourceOptions } from "./read-source.js";
export type {
  CheckpointSource,
  GraphModelSource,
  LayersModelSource,
  ModelSource,
  RunSource,
  SavedModelSource,
  Source,
  TensorFlowCheckpointSource,
  TensorFlowFolderSource,
} from "./source.js";
export type { WorkerOptions } from "./worker-options.js";
