export { quantizedTolerances } from "./choose-formats.js";
export {
  type ArtifactComparison,
  compareArtifacts,
  type GraphComparison,
  type WeightDifference,
} from "./compare-artifacts.js";
export { type ArtifactDrawing, drawArtifact, type DrawingFormat } from "./draw-artifact.js";
export { freeze, type FreezeOptions, freezeRun, type FreezeRunOptions } from "./freeze.js";
export type { FormatOptions, FreezeResult, UnverifiedFormat } from "./freeze-options.js";
export type { FreezeProgress } from "./progress.js";
export { readSource } from "./read-source.js";
export type { CheckpointSource, LayersModelSource, ModelSource, RunSource, Source } from "./source.js";
