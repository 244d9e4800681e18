import { join } from "node:path";

import {
  CkptError,
  type EvaluationManifest,
  evaluationManifestType,
  isCkptError,
  manifestNames,
  nodeFileSystem,
  type RankingManifest,
  rankingManifestType,
  readDocument,
  type Sealed,
} from "@ckpt/manifest";

import type { Candidate } from "./candidate.js";
import { measureEvaluation } from "./compute-metrics.js";
import { type EngineName, engineNames } from "./engine.js";
import { defaultMetrics, findMetric } from "./metrics/registry.js";
import { rankCandidates } from "./rank-candidates.js";
import { type Artifact, readArtifact } from "./read-artifact.js";
import { describeTask } from "./task.js";

/** The artifacts that compete, and which of their stored predictions and metrics count. */
export interface RankArtifactsOptions {
  /** The artifacts' folders, each of another name. */
  readonly artifacts: readonly string[];
  /** The folder that evaluations are kept in. */
  readonly evaluations: string;
  /** Name, role or digest of the split to rank on. */
  readonly split: string;
  /** The primary metric. Default: accuracy of classes, mse of regression targets. */
  readonly metric?: string;
  /** What else to compute of each candidate. Default: the default metrics of the task. */
  readonly metrics?: readonly string[];
  /** Only predictions of this engine. Default: of several, onnxruntime-node, then tfjs, then tfjs-node. */
  readonly engine?: EngineName;
  /** The scored output. Default: each artifact's first. */
  readonly output?: string;
}

/** A committed evaluation in its folder. */
interface StoredEvaluation {
  readonly path: string;
  readonly manifest: Sealed<EvaluationManifest>;
}

/**
 * Ranks artifacts by their stored predictions; runs no inference and writes nothing.
 *
 * @throws {CkptError} EVALUATION_NOT_FOUND naming the first artifact without predictions on the split,
 *   ARTIFACT_NOT_FOUND, METRIC_NOT_FOUND; INVALID_OPTION when there are no artifacts, two have the same name, or the
 *   split is stored in more than one version; and what `computeMetrics` throws.
 */
export async function rankArtifacts(options: RankArtifactsOptions): Promise<RankingManifest> {
  const artifacts = await Promise.all(options.artifacts.map(readArtifact));
  checkArtifacts(artifacts);
  const stored = await Promise.all(artifacts.map((artifact) => findEvaluations(artifact, options)));
  const split = chooseSplit(artifacts, stored, options);

  const candidates: Candidate[] = [];
  let record: EvaluationManifest | undefined;
  for (const [index, artifact] of artifacts.entries()) {
    const chosen = (stored[index] ?? [])
      .filter(({ manifest }) => manifest.split.digest === split)
      .toSorted(compareEvaluations)[0];
    if (chosen === undefined) throw notFound(artifact, options);
    record ??= chosen.manifest;
    candidates.push(await measureCandidate(artifact, chosen, options));
  }
  if (record === undefined) throw new TypeError("no candidates");
  const task = taskOf(record);
  const primary = findMetric(options.metric ?? defaultMetrics[task][0] ?? "", task);
  return {
    kind: rankingManifestType.kind,
    schemaVersion: rankingManifestType.schemaVersion,
    split: record.split,
    metric: { name: primary.name, mode: primary.mode },
    ...rankCandidates(candidates, { metric: primary.name, mode: primary.mode }),
  };
}

function checkArtifacts(artifacts: readonly Artifact[]): void {
  const ids = artifacts.map((artifact) => artifact.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (ids.length > 0 && repeated === undefined) return;
  throw new CkptError("INVALID_OPTION", {
    option: "artifacts",
    expected: "one or more folders of different names",
    found: repeated === undefined ? "none" : `${repeated} twice`,
  });
}

/** All evaluations of this very artifact that the options allow. */
async function findEvaluations(
  artifact: Artifact,
  { evaluations, split, engine, output = artifact.manifest.signature.outputs[0]?.name }: RankArtifactsOptions,
): Promise<readonly StoredEvaluation[]> {
  const names = (await nodeFileSystem.list(evaluations)).filter((name) => name.startsWith(`${artifact.id}.`));
  const found: StoredEvaluation[] = [];
  for (const name of names) {
    const path = join(evaluations, name);
    const manifest = await readCommitted(path);
    if (
      manifest?.artifact.digest === artifact.manifest.digest &&
      [manifest.split.name, manifest.split.role, manifest.split.digest].includes(split) &&
      manifest.output.name === output &&
      (engine === undefined || manifest.engine.name === engine)
    ) {
      found.push({ path, manifest });
    }
  }
  return found;
}

async function readCommitted(path: string): Promise<Sealed<EvaluationManifest> | undefined> {
  try {
    return await readDocument(evaluationManifestType, join(path, manifestNames.evaluation));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return undefined;
    throw error;
  }
}

/** The digest of the split that all artifacts were run on: candidates are compared on the same rows only. */
function chooseSplit(
  artifacts: readonly Artifact[],
  stored: readonly (readonly StoredEvaluation[])[],
  options: RankArtifactsOptions,
): string {
  const counts = new Map<string, number>();
  for (const evaluations of stored) {
    for (const digest of new Set(evaluations.map(({ manifest }) => manifest.split.digest))) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
  }
  const complete = [...counts].filter(([, count]) => count === artifacts.length).map(([digest]) => digest);
  const [digest] = complete;
  if (digest === undefined) {
    // The artifact to name is one that lacks the version of the split that most of them have.
    const common = [...counts].toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))[0]?.[0];
    const index = stored.findIndex((list) => !list.some(({ manifest }) => manifest.split.digest === common));
    const missing = artifacts[index];
    if (missing === undefined) throw new TypeError("no artifact lacks the split");
    throw notFound(missing, options);
  }
  if (complete.length > 1) {
    throw new CkptError("INVALID_OPTION", {
      option: "split",
      expected: `one of the digests ${complete.toSorted().join(", ")}, since there are predictions on each`,
      found: options.split,
    });
  }
  return digest;
}

/** Engines in their order of preference, then the newer version, then the folder's name: always the same choice. */
function compareEvaluations(a: StoredEvaluation, b: StoredEvaluation): number {
  return (
    preferenceOf(a) - preferenceOf(b) ||
    b.manifest.engine.version.localeCompare(a.manifest.engine.version, "en", { numeric: true }) ||
    (a.path < b.path ? -1 : 1)
  );
}

function preferenceOf({ manifest }: StoredEvaluation): number {
  const index = engineNames.findIndex((name) => name === manifest.engine.name);
  return index === -1 ? engineNames.length : index;
}

async function measureCandidate(
  artifact: Artifact,
  { path, manifest }: StoredEvaluation,
  options: RankArtifactsOptions,
): Promise<Candidate> {
  const names = options.metrics ?? defaultMetrics[taskOf(manifest)];
  const { metrics } = await measureEvaluation(path, options.metric === undefined ? names : [options.metric, ...names]);
  const { digest, step } = artifact.manifest.source;
  return {
    id: artifact.id,
    artifact: { digest: artifact.manifest.digest },
    checkpoint: { digest, ...(step === undefined ? {} : { step }) },
    metrics: metrics.metrics,
    evaluation: manifest.digest,
    ...(metrics.failure === undefined ? {} : { failure: metrics.failure }),
    ...(metrics.notDefined === undefined ? {} : { notDefined: metrics.notDefined }),
  };
}

function taskOf(manifest: EvaluationManifest): keyof typeof defaultMetrics {
  return describeTask(manifest.artifact.id, manifest.output, manifest.labels, manifest.classes).kind;
}

function notFound(artifact: Artifact, { split, evaluations, engine, output }: RankArtifactsOptions): CkptError {
  const details = [engine === undefined ? "" : ` by ${engine}`, output === undefined ? "" : ` of output ${output}`];
  return new CkptError("EVALUATION_NOT_FOUND", {
    path: artifact.path,
    expected: `some on split ${split}${details.join("")} in ${evaluations}`,
  });
}
