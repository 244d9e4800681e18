export { computeMetrics } from "./compute-metrics.js";
export { type EngineName, engineNames, type InferenceEngine, type NamedTensors, type Session } from "./engine.js";
export { evaluateArtifact, type EvaluateArtifactOptions } from "./evaluate-artifact.js";
export {
  evaluateArtifacts,
  type EvaluateArtifactsOptions,
  type EvaluateOptions,
  type EvaluationOutcome,
} from "./evaluate-artifacts.js";
export { type Evaluation, type EvaluationProgress } from "./evaluation.js";
export { readLatencies, writeLatencies } from "./latency-file.js";
export { type EngineChoice, engineFormats, type EngineSelection, loadEngine, selectEngine } from "./load-engine.js";
export {
  type LatencyFigures,
  type LatencyMeasurement,
  measureLatency,
  type MeasureLatencyOptions,
} from "./measure-latency.js";
export { type Metric, type ScoredRows } from "./metrics/metric.js";
export { defaultMetrics, findMetric, metrics } from "./metrics/registry.js";
export { rankArtifacts, type RankArtifactsOptions } from "./rank-artifacts.js";
export {
  type Candidate,
  rankCandidates,
  type RankCandidatesOptions,
  type RankedCandidates,
} from "./rank-candidates.js";
export { type Task } from "./task.js";
export { writeRanking } from "./write-ranking.js";
