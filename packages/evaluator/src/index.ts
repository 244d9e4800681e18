export { type ScoringOptions } from "./check-scoring.js";
export { computeMetrics } from "./compute-metrics.js";
export { type EngineName, engineNames, type InferenceEngine, type NamedTensors, type Session } from "./engine.js";
export {
  type Evaluation,
  type EvaluationProgress,
  evaluateArtifact,
  type EvaluateArtifactOptions,
} from "./evaluate-artifact.js";
export { type EngineChoice, engineFormats, type EngineSelection, loadEngine, selectEngine } from "./load-engine.js";
export { type KeptRows, type RowRecord } from "./metrics/kept-rows.js";
export { createMeanMetric, type MeanMetricDefinition } from "./metrics/mean-metric.js";
export {
  type Accumulator,
  type AccumulatorMetric,
  type MeanMetric,
  type Metric,
  type ScoredRows,
  type StatisticMetric,
} from "./metrics/metric.js";
export { defaultMetrics, findMetric, metrics } from "./metrics/registry.js";
export { type Slice, sliceByColumn } from "./metrics/slices.js";
export { rankArtifacts, type RankArtifactsOptions } from "./rank-artifacts.js";
export {
  type Candidate,
  rankCandidates,
  type RankCandidatesOptions,
  type RankedCandidates,
} from "./rank-candidates.js";
export { type Task } from "./task.js";
export { writeRanking } from "./write-ranking.js";
