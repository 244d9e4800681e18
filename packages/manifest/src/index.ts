export { findHolders, promote, type Promotion, readPromotions } from "./aliases.js";
export {
  type ArtifactCut,
  type ArtifactFormat,
  artifactFormats,
  type ArtifactManifest,
  artifactManifestType,
  defaultArtifactFormats,
  formatPaths,
  listFormatFiles,
  type ParityRecord,
} from "./artifact-manifest.js";
export {
  type BatchNormSource,
  type CheckpointManifest,
  checkpointManifestType,
  probeFileName,
} from "./checkpoint-manifest.js";
export { replaceFile, type StagedFolder, stageFolder, type StageFolderOptions } from "./commit.js";
export { hasControlFlow } from "./control-flow.js";
export { digestBytes, digestFile } from "./digest.js";
export {
  type DocumentHeader,
  type DocumentType,
  parseDocument,
  parseLine,
  type Sealed,
  serializeDocument,
  serializeLine,
} from "./document.js";
export type { ErrorCode, ErrorDetails, Issue } from "./error-details.js";
export { CkptError, isCkptError } from "./errors.js";
export { type EvaluationManifest, evaluationManifestType } from "./evaluation-manifest.js";
export type { FileEntry } from "./file-entry.js";
export { type FileSystem, nodeFileSystem } from "./file-system.js";
export {
  type HistoryRecord,
  historyRecordSchema,
  parseHistory,
  readHistory,
  serializeHistoryRecord,
} from "./history.js";
export { isInsidePath } from "./inside-path.js";
export { type Json, serializeCanonicalJson } from "./json.js";
export {
  artifactPath,
  type CheckpointName,
  type CheckpointParent,
  checkpointPath,
  compareCheckpointNames,
  compareParents,
  formatAverageName,
  formatStepName,
  manifestNames,
  parseCheckpointName,
  parseStepName,
  runLayout,
} from "./layout.js";
export { findLeaseHolder, type Lease, leaseFolder } from "./lease.js";
export { findReplaced, piecesPath } from "./leftovers.js";
export {
  compareMetric,
  type MetricMode,
  type Metrics,
  restoreMetrics,
  type StoredMetrics,
  storeMetrics,
} from "./metric.js";
export type { MetricEstimate } from "./metric-estimate.js";
export {
  type ClassEstimates,
  type MetricsManifest,
  metricsManifestType,
  type SliceEstimates,
} from "./metrics-manifest.js";
export { pinCheckpoint, readPins, unpinCheckpoint } from "./pin-checkpoint.js";
export type { ProcessHolder } from "./process-holder.js";
export { type Quantization, quantizations, type QuantizeRule } from "./quantize-rule.js";
export { isRaceName, type RacedCandidate, type RaceManifest, raceManifestType, raceName } from "./race-manifest.js";
export {
  type CandidateStatus,
  type RankedCandidate,
  type RankingManifest,
  rankingManifestType,
} from "./ranking-manifest.js";
export { readDocument } from "./read-document.js";
export { type RemovedFolder, removeFolder } from "./remove-folder.js";
export { type Removal, removeUnleased } from "./remove-unleased.js";
export { type LapsingLock, lockLapsing, lockRun, type RunLock } from "./run-lock.js";
export { type DataRecord, type RunManifest, runManifestType, type RunResult, type StopReason } from "./run-manifest.js";
export { type Dtype, dtypes, type Signature, type TensorSpec } from "./signature.js";
export type { Batch, Split, SplitRole, TensorData } from "./split.js";
export { isScoringName, type ScoringManifest, scoringManifestType, scoringPath } from "./scoring-manifest.js";
export { readVerifiedFile, verifyFiles } from "./verify-files.js";
export { sweepLeftovers } from "./sweep-leftovers.js";
export { readTestReads, recordTestRead, type TestRead } from "./test-reads.js";
export { serializeTimingRecord, type TimingRecord, timingRecordSchema } from "./timing.js";
export { type CommittedKind, type Verification, verifyFolder } from "./verify-folder.js";
export { verifyRun } from "./verify-run.js";
