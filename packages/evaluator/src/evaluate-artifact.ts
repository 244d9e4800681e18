import { join } from "node:path";

import {
  CkptError,
  type DataRecord,
  digestBytes,
  type EvaluationManifest,
  evaluationManifestType,
  isCkptError,
  isInsidePath,
  type Lease,
  leaseFolder,
  manifestNames,
  type Sealed,
  serializeCanonicalJson,
  type Split,
  stageFolder,
  type TensorSpec,
} from "@ckpt/manifest";

import type { InferenceEngine } from "./engine.js";
import { type EngineChoice, selectEngine } from "./load-engine.js";
import { type InputBinding, matchInputs } from "./match-inputs.js";
import { predictRows, type ScoredSplit } from "./predict-rows.js";
import { encodeValues, predictionFiles, readEvaluation } from "./predictions.js";
import { type Artifact, readArtifact, verifyFormat } from "./read-artifact.js";

/** How far an evaluation is; reported after every batch. */
export interface EvaluationProgress {
  /** The artifact's id. */
  readonly artifact: string;
  readonly rowsDone: number;
  readonly rowsTotal: number;
}

/** What is run on which rows, by what engine, and where its predictions are kept. */
export interface EvaluateArtifactOptions {
  /** The artifact's folder. Its name is the artifact's id. */
  readonly artifact: string;
  readonly split: Split;
  /** The folder that evaluations are kept in; made if needed. */
  readonly evaluations: string;
  /** Default: `auto`. */
  readonly engine?: EngineChoice;
  /** Rows per inference. Default: 256. */
  readonly batchSize?: number;
  /** Name of the output to score. Default: the signature's first. */
  readonly output?: string;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** The stored predictions of one artifact on one split. */
export interface Evaluation {
  /** The evaluation's folder. */
  readonly path: string;
  readonly manifest: Sealed<EvaluationManifest>;
  /** True when the predictions were there already and no inference was run. */
  readonly isReused: boolean;
  /** Why this engine was taken, in words. */
  readonly engineReason: string;
}

/**
 * Runs an artifact over a split and stores its predictions, one per row, in
 * `<evaluations>/<artifact id>.<split name>.<12 digits of the content key>`. The key is the SHA-256 of all that
 * decides the predictions: artifact, split, engine with version, format and output. An evaluation that is there
 * already is checked and reused. The artifact is leased while it is scored, so that its run is not discarded meanwhile.
 *
 * @throws {CkptError} ARTIFACT_NOT_FOUND, SIGNATURE_MISMATCH, UNSUPPORTED_DTYPE, INVALID_OPTION, ENGINE_UNAVAILABLE,
 *   ENGINE_FAILED; FILE_MISSING, SIZE_MISMATCH or DIGEST_MISMATCH when the artifact or the stored evaluation is
 *   damaged; FILE_SYSTEM.
 */
export async function evaluateArtifact(options: EvaluateArtifactOptions): Promise<Evaluation> {
  const { split, evaluations, batchSize = 256 } = options;
  checkOptions(split, batchSize);
  const artifact = await readArtifact(options.artifact);
  const output = findOutput(artifact, options.output);
  const bind = matchInputs(artifact.path, artifact.manifest.signature, split);
  const { engine, reason } = await selectEngine(options.engine ?? "auto", artifact.manifest.formats);
  const subject = {
    artifact: { id: artifact.id, digest: artifact.manifest.digest, format: engine.format },
    split: describeSplit(split),
    engine: { name: engine.name, version: engine.version },
  };
  const path = join(evaluations, `${artifact.id}.${split.name}.${keyOf(subject, output.name).slice(0, 12)}`);
  const stored = await readStored(path);
  if (stored !== undefined) return { path, manifest: stored, isReused: true, engineReason: reason };

  const lease = await leaseArtifact(options.artifact);
  try {
    const rows = await runEngine(artifact, engine, output, bind, options);
    await commitRows(path, subject, split, rows);
  } finally {
    await lease.release();
  }
  return { path, manifest: await readEvaluation(path), isReused: false, engineReason: reason };
}

/** A run that is begun again from nothing deletes its artifacts. */
async function leaseArtifact(path: string): Promise<Lease> {
  try {
    return await leaseFolder(path);
  } catch (cause) {
    if (!isCkptError(cause, "MANIFEST_MISSING")) throw cause;
    throw new CkptError("ARTIFACT_NOT_FOUND", { path }, { cause });
  }
}

async function runEngine(
  artifact: Artifact,
  engine: InferenceEngine,
  output: TensorSpec,
  bind: InputBinding,
  { split, batchSize = 256, onProgress }: EvaluateArtifactOptions,
): Promise<ScoredSplit> {
  await verifyFormat(artifact, engine.format);
  const session = await engine.open(artifact.path, artifact.manifest.signature);
  try {
    const onBatch = (rowsDone: number): void =>
      onProgress?.({ artifact: artifact.id, rowsDone, rowsTotal: split.rowCount });
    return await predictRows({ where: artifact.path, session, output, split, bind, batchSize, onBatch });
  } finally {
    await session.close();
  }
}

type Subject = Pick<EvaluationManifest, "artifact" | "split" | "engine">;

function checkOptions(split: Split, batchSize: number): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new CkptError("INVALID_OPTION", {
      option: "batchSize",
      expected: "an integer from 1",
      found: String(batchSize),
    });
  }
  if (!isInsidePath(split.name) || split.name.includes("/")) {
    throw new CkptError("INVALID_OPTION", {
      option: "split",
      expected: "a name that a folder can have",
      found: JSON.stringify(split.name),
    });
  }
  if (split.rowCount === 0) {
    throw new CkptError("INVALID_OPTION", {
      option: "split",
      expected: "at least one row",
      found: `none in ${split.name}`,
    });
  }
}

function findOutput(artifact: Artifact, name: string | undefined): TensorSpec {
  const { outputs } = artifact.manifest.signature;
  const output = name === undefined ? outputs[0] : outputs.find((spec) => spec.name === name);
  if (output === undefined) {
    const expected = `one of ${outputs.map((spec) => spec.name).join(", ")}`;
    throw new CkptError("INVALID_OPTION", { option: "output", expected, found: name ?? "none" });
  }
  if (output.dtype !== "float32") {
    throw new CkptError("UNSUPPORTED_DTYPE", {
      where: `${artifact.path}: output ${output.name}`,
      dtype: output.dtype,
      supported: ["float32"],
    });
  }
  return output;
}

function describeSplit(split: Split): DataRecord {
  return { name: split.name, role: split.role, rowCount: split.rowCount, digest: split.digest };
}

function keyOf(subject: Subject, output: string): string {
  const { artifact, split, engine } = subject;
  return digestBytes(
    serializeCanonicalJson({ artifact: artifact.digest, split: split.digest, engine, format: artifact.format, output }),
  );
}

async function readStored(path: string): Promise<Sealed<EvaluationManifest> | undefined> {
  try {
    return await readEvaluation(path);
  } catch (error) {
    if (isCkptError(error, "EVALUATION_NOT_FOUND")) return undefined;
    throw error;
  }
}

async function commitRows(path: string, subject: Subject, split: Split, rows: ScoredSplit): Promise<void> {
  // Only a folder that was never committed can be in the way here.
  const stage = await stageFolder(path, { isReplacing: true });
  try {
    await stage.write(predictionFiles.predictions, encodeValues(rows.predictions));
    await stage.write(predictionFiles.labels, encodeValues(rows.labels));
    await stage.commit(manifestNames.evaluation, (files): EvaluationManifest => ({
      kind: evaluationManifestType.kind,
      schemaVersion: evaluationManifestType.schemaVersion,
      ...subject,
      ...(split.classes === undefined ? {} : { classes: split.classes }),
      output: rows.output,
      labels: rows.labelSpec,
      files,
    }));
  } catch (error) {
    await stage.abandon();
    throw error;
  }
}
