export { type ScoringOptions } from "./check-scoring.js";
export {
  type ColumnScoring,
  type ColumnSlice,
  type ColumnTexts,
  listScoringColumns,
  scoreByColumns,
} from "./column-scoring.js";
export {
  compareEvaluations,
  type CompareEvaluationsOptions,
  type EvaluationComparison,
  type MetricComparison,
} from "./compare-evaluations.js";
export { computeMetrics, type MeasuredEvaluation, measureEvaluation } from "./compute-metrics.js";
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
export { type EvaluationChoice, findEvaluation, type StoredEvaluation } from "./find-evaluations.js";
export {
  type ChampionOptions,
  judgeArtifact,
  type JudgeArtifactOptions,
  type JudgedGate,
} from "./gate/judge-artifact.js";
export { type ChampionRule } from "./gate/judge-champion.js";
export { type Judgement, type Verdict } from "./gate/judgement.js";
export { parseRequirement, type RequiredPart, type Requirement } from "./gate/requirement.js";
export { type KeptRows, type RowRecord } from "./metrics/kept-rows.js";
export { createMeanMetric, type MeanMetricDefinition } from "./metrics/mean-metric.js";
export {
  type LatencyFigures,
  type LatencyMeasurement,
  measureLatency,
  type MeasureLatencyOptions,
} from "./measure-latency.js";
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
export { readEvaluation, readRows, type StoredRows } from "./predictions.js";
export { raceArtifacts, type RaceArtifactsOptions, type RaceOutcome } from "./race/race-artifacts.js";
export { type RaceProgress } from "./race/run-race.js";
export { rankArtifacts, type RankArtifactsOptions } from "./rank-artifacts.js";
export { type Candidate } from "./candidate.js";
export { type Constraint, parseConstraint } from "./constraint.js";
export { rankCandidates, type RankCandidatesOptions, type RankedCandidates } from "./rank-candidates.js";
export { type CandidateReplicates, resampleCandidates, resampleMeans } from "./statistics/candidate-replicates.js";
export { driveRace, type DriveRaceOptions, type RaceResult } from "./statistics/drive-race.js";
export { mcnemar, type McnemarResult } from "./statistics/mcnemar.js";
export {
  type ConfidenceSetOptions,
  findConfidenceSet,
  type ModelConfidenceSet,
} from "./statistics/model-confidence-set.js";
export { comparePaired, type PairedDifference } from "./statistics/paired-difference.js";
export {
  findLeader,
  isLeaderCloseEnough,
  listRunning,
  type Race,
  type RaceOptions,
  startRace,
  updateRace,
} from "./statistics/race.js";
export { orderRows } from "./statistics/race-order.js";
export { type ResampleOptions, type Statistic } from "./statistics/resample.js";
export { countRowsToDecide, type UndecidedFigure } from "./statistics/rows-to-decide.js";
export {
  readRunningInterval,
  type RunningInterval,
  startRunningInterval,
  updateRunningInterval,
} from "./statistics/running-interval.js";
export {
  estimateBySplit,
  estimateSelection,
  type SelectionEstimate,
  type SelectionOptions,
} from "./statistics/selection-estimate.js";
export { signFlipTest } from "./statistics/sign-flip.js";
export { readScoring, type Scoring, writeScoring } from "./scoring.js";
export { type Sample } from "./statistics/units.js";
export { wilsonInterval } from "./statistics/wilson-interval.js";
export { type Task } from "./task.js";
export { writeRanking } from "./write-ranking.js";
