import { join } from "node:path";

import {
  CkptError,
  digestBytes,
  type EvaluationManifest,
  isCkptError,
  isInsidePath,
  type Sealed,
  serializeCanonicalJson,
  type Split,
  type TensorSpec,
} from "@ckpt/manifest";

import type { EvaluationSubject } from "./commit-evaluation.js";
import type { InferenceEngine } from "./engine.js";
import { type EngineChoice, selectEngine } from "./load-engine.js";
import { type InputBinding, matchInputs } from "./match-inputs.js";
import { readEvaluation } from "./predictions.js";
import { type Artifact, readArtifact } from "./read-artifact.js";

/** What is run on which rows, by what engine, and where its predictions are kept. */
export interface EvaluationRequest {
  /** The artifact's folder. Its name is the artifact's id. */
  readonly artifact: string;
  readonly split: Split;
  /** The folder that evaluations are kept in. */
  readonly evaluations: string;
  readonly engine: EngineChoice;
  /** Name of the output to score. Default: the signature's first. */
  readonly output?: string;
}

/** An evaluation before any inference: everything fits, and it has its name. */
export interface PreparedEvaluation {
  readonly artifact: Artifact;
  readonly output: TensorSpec;
  readonly bind: InputBinding;
  readonly engine: InferenceEngine;
  /** Why this engine was taken, in words. */
  readonly engineReason: string;
  readonly subject: EvaluationSubject;
  /** SHA-256 of all that decides the predictions. */
  readonly key: string;
  /** The evaluation's folder. */
  readonly path: string;
}

/**
 * Checks that artifact, split, engine and output belong together.
 *
 * @throws {CkptError} ARTIFACT_NOT_FOUND, SIGNATURE_MISMATCH, UNSUPPORTED_DTYPE, INVALID_OPTION, ENGINE_UNAVAILABLE,
 *   ENGINE_FAILED.
 */
export async function prepareEvaluation(request: EvaluationRequest): Promise<PreparedEvaluation> {
  const { split, evaluations } = request;
  const artifact = await readArtifact(request.artifact);
  const output = findOutput(artifact, request.output);
  const bind = matchInputs(artifact.path, artifact.manifest.signature, split);
  const { engine, reason } = await selectEngine(request.engine, artifact.manifest.formats);
  const subject: EvaluationSubject = {
    artifact: { id: artifact.id, digest: artifact.manifest.digest, format: engine.format },
    split: { name: split.name, role: split.role, rowCount: split.rowCount, digest: split.digest },
    engine: { name: engine.name, version: engine.version },
    ...(split.classes === undefined ? {} : { classes: split.classes }),
  };
  const key = keyOf(subject, output.name);
  const path = join(evaluations, `${artifact.id}.${split.name}.${key.slice(0, 12)}`);
  return { artifact, output, bind, engine, engineReason: reason, subject, key, path };
}

/** @throws {CkptError} INVALID_OPTION when the split has no rows, or a name that no folder can have. */
export function checkSplit(split: Split): void {
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

/** The committed evaluation, checked; `undefined` when there is none. */
export async function readStored(path: string): Promise<Sealed<EvaluationManifest> | undefined> {
  try {
    return await readEvaluation(path);
  } catch (error) {
    if (isCkptError(error, "EVALUATION_NOT_FOUND")) return undefined;
    throw error;
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

function keyOf({ artifact, split, engine }: EvaluationSubject, output: string): string {
  return digestBytes(
    serializeCanonicalJson({ artifact: artifact.digest, split: split.digest, engine, format: artifact.format, output }),
  );
}
