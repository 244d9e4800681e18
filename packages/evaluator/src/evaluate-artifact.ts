import { type EvaluateOptions, evaluateArtifacts } from "./evaluate-artifacts.js";
import type { Evaluation } from "./evaluation.js";

/** What is run on which rows, by what engine, and where its predictions are kept. */
export interface EvaluateArtifactOptions extends EvaluateOptions {
  /** The artifact's folder. Its name is the artifact's id. */
  readonly artifact: string;
}

/**
 * Runs an artifact over a split and stores its predictions, one per row, in
 * `<evaluations>/<artifact id>.<split name>.<12 digits of the content key>`. The key is the SHA-256 of all that
 * decides the predictions: artifact, split, engine with version, format and output. An evaluation that is there
 * already is checked and reused. The artifact is leased while it is scored, so that its run is not discarded meanwhile.
 *
 * @throws {CkptError} ARTIFACT_NOT_FOUND, SIGNATURE_MISMATCH, UNSUPPORTED_DTYPE, INVALID_OPTION, ENGINE_UNAVAILABLE,
 *   ENGINE_FAILED; FILE_MISSING, SIZE_MISMATCH or DIGEST_MISMATCH when the artifact or the stored evaluation is
 *   damaged; FILE_SYSTEM; what `split.read` and `onProgress` throw.
 */
export async function evaluateArtifact({ artifact, ...options }: EvaluateArtifactOptions): Promise<Evaluation> {
  const [outcome] = await evaluateArtifacts({ ...options, artifacts: [artifact] });
  if (outcome === undefined) throw new TypeError("an artifact has an outcome");
  if ("failure" in outcome) throw outcome.failure;
  return outcome.evaluation;
}
