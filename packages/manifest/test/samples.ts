import type {
  ArtifactManifest,
  CheckpointManifest,
  DocumentHeader,
  DocumentType,
  EvaluationManifest,
  HistoryRecord,
  MetricsManifest,
  RaceManifest,
  RankingManifest,
  RunManifest,
  ScoringManifest,
} from "../src/index.js";
import {
  artifactManifestType,
  checkpointManifestType,
  digestBytes,
  evaluationManifestType,
  metricsManifestType,
  raceManifestType,
  rankingManifestType,
  runManifestType,
  scoringManifestType,
} from "../src/index.js";

const split = { name: "select", role: "select", rowCount: 5, digest: digestBytes("rows") } as const;
const signature = {
  inputs: [{ name: "pixels", dtype: "float32", shape: [null, 64] }],
  outputs: [{ name: "probabilities", dtype: "float32", shape: [null, 10] }],
} as const;

const run: RunManifest = {
  kind: "run",
  schemaVersion: 1,
  name: "ziffern-größe-\u{1F522}",
  configDigest: digestBytes("config"),
  seed: -7,
  versions: { "@tensorflow/tfjs": "4.22.0" },
  backend: "wasm",
  data: [split],
  result: { step: 120, epoch: 3, reason: "completed" },
};

const checkpoint: CheckpointManifest = {
  kind: "checkpoint",
  schemaVersion: 1,
  step: 120,
  epoch: 3,
  // An integer-like name, which JavaScript moves to the front, and a replacement character of its own right.
  metrics: { loss: 0.1 + 0.2, "1": 1e-7, "val\uFFFDloss": "NaN" },
  reason: 'valLoss improved from 0.5 to "0.3"',
  signature,
  files: [{ path: "weights.bin", sizeBytes: 4, sha256: digestBytes("abcd") }],
};

const artifact: ArtifactManifest = {
  kind: "artifact",
  schemaVersion: 1,
  source: { kind: "checkpoint", digest: digestBytes("checkpoint"), step: 120 },
  signature,
  formats: ["onnx"],
  tolerance: 1e-5,
  parity: [
    {
      format: "onnx",
      engine: "onnxruntime-node",
      output: "probabilities",
      batchSizes: [1, 3],
      maxAbsoluteError: 6e-8,
      maxRelativeError: 0,
    },
  ],
  files: [{ path: "model.onnx", sizeBytes: 9, sha256: digestBytes("the model") }],
};

const evaluation: EvaluationManifest = {
  kind: "evaluation",
  schemaVersion: 1,
  artifact: { id: "step-00000120", digest: digestBytes("artifact"), format: "onnx" },
  split,
  engine: { name: "onnxruntime-node", version: "1.30.0" },
  classes: ["0", "1"],
  output: { name: "probabilities", dtype: "float32", shape: [5, 2] },
  labels: { name: "label", dtype: "int32", shape: [5] },
  files: [{ path: "predictions.bin", sizeBytes: 40, sha256: digestBytes("p") }],
};

const metrics: MetricsManifest = {
  kind: "metrics",
  schemaVersion: 1,
  evaluation: digestBytes("evaluation"),
  metrics: { accuracy: { value: 0.8, interval: [0.37, 0.96] }, logLoss: { value: 0.4 } },
  confusion: [
    [2, 0],
    [1, 2],
  ],
};

const race: RaceManifest = {
  kind: "race",
  schemaVersion: 1,
  split,
  metric: { name: "accuracy", mode: "max" },
  delta: 0.05,
  looks: [2],
  candidates: [
    {
      artifact: { id: "step-00000240", digest: digestBytes("another artifact"), format: "onnx" },
      engine: { name: "onnxruntime-node", version: "1.30.0" },
      output: "probabilities",
      isDropped: true,
      rowsSeen: 2,
      metric: { value: 0.5, interval: [0, 1] },
    },
  ],
};

const ranking: RankingManifest = {
  kind: "ranking",
  schemaVersion: 1,
  split,
  metric: { name: "accuracy", mode: "max" },
  tieRules: ["higher accuracy", "earlier step"],
  candidates: [
    {
      id: "step-00000120",
      artifact: { digest: digestBytes("artifact") },
      checkpoint: { digest: digestBytes("checkpoint"), step: 120 },
      metrics: metrics.metrics,
      evaluation: digestBytes("evaluation"),
      rank: 1,
      status: "best",
    },
  ],
  pick: { id: "step-00000120", artifact: digestBytes("artifact"), decidedBy: "higher accuracy" },
};

const scoring: ScoringManifest = {
  kind: "scoring",
  schemaVersion: 1,
  split,
  weights: { column: "größe", values: Buffer.from(new Float64Array(2).fill(0.5).buffer).toString("base64") },
  groups: { column: "patient", values: Buffer.from(Int32Array.of(0, 1).buffer).toString("base64") },
  slices: [{ name: "old", rows: "Ag==" }],
};

/** One document of each kind with every optional field that goes together, and characters of one to four bytes. */
export const samples: {
  readonly run: RunManifest;
  readonly checkpoint: CheckpointManifest;
  readonly artifact: ArtifactManifest;
  readonly evaluation: EvaluationManifest;
  readonly metrics: MetricsManifest;
  readonly race: RaceManifest;
  readonly ranking: RankingManifest;
  readonly scoring: ScoringManifest;
} = { run, checkpoint, artifact, evaluation, metrics, race, ranking, scoring };

export const history: readonly HistoryRecord[] = [
  { step: 0, epoch: 0, metrics: { loss: 2.25 } },
  { step: 60, epoch: 1, metrics: { loss: 0.75, "größe\uFFFD": "-Infinity" } },
  { step: 120, epoch: 3, metrics: { loss: 0.5 } },
];

export const documentTypes: Readonly<Record<keyof typeof samples, DocumentType<DocumentHeader<string>>>> = {
  run: runManifestType,
  checkpoint: checkpointManifestType,
  artifact: artifactManifestType,
  evaluation: evaluationManifestType,
  metrics: metricsManifestType,
  race: raceManifestType,
  ranking: rankingManifestType,
  scoring: scoringManifestType,
};

export type Kind = keyof typeof samples;
export const kinds = Object.keys(samples) as readonly Kind[];
