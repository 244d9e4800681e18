import { basename, join } from "node:path";

import { findEvaluation, measureEvaluation } from "@ckpt/evaluator";
import { artifactManifestType, CkptError, digestFile, manifestNames, readDocument, replaceFile } from "@ckpt/manifest";

import type { CommandResult } from "./command-context.js";
import { type GateRequest, holdGate } from "./commands/gate.js";
import { describeTestResult } from "./describe-test-result.js";
import { exitCodes } from "./exit-code.js";
import { exportPredictions } from "./export-predictions.js";
import { formatEvalResults } from "./format-eval-results.js";
import { findSingleArtifact } from "./single-artifact.js";
import { findConfidence } from "./test-score.js";

/** What of an evaluation is written for other tools. */
export type EvaluationExport = "eval-results" | "in-toto" | "predictions";

/** An evaluation, and where what is made of it goes. */
export interface ExportEvaluationRequest {
  /** A run, for its pick, or an artifact. */
  readonly source: string;
  readonly to: EvaluationExport;
  readonly out: string;
  /** Default: `test`, and of `in-toto` what the gate's file says. */
  readonly split: string | undefined;
  /** Of `eval-results`: id of the dataset. */
  readonly dataset: string | undefined;
  /** Of `in-toto`: the gate's file. */
  readonly gate: string | undefined;
}

/**
 * Writes what is stored of an artifact's evaluation in another tool's form.
 *
 * @throws {CkptError} EVALUATION_NOT_FOUND; INVALID_OPTION when something is missing; what reading and writing throw.
 */
export async function exportEvaluation(request: ExportEvaluationRequest): Promise<CommandResult> {
  const { to, out } = request;
  const written = await writers[to](request);
  return { document: { to, out, ...written }, text: `${out}\n`, exitCode: exitCodes.ok };
}

type Writer = (request: ExportEvaluationRequest) => Promise<object>;

const writers: Readonly<Record<EvaluationExport, Writer>> = {
  predictions: async ({ source, split = "test", out }) => {
    const { artifact, evaluations } = await findSingleArtifact(source);
    const { path } = await findEvaluation(artifact, { evaluations, split });
    const { rowCount, columns } = await exportPredictions(path, out);
    return { rowCount, columns };
  },
  "eval-results": async ({ source, split = "test", out, dataset }) => {
    if (dataset === undefined) throw missing("--dataset", "the dataset's id on the Hub, such as org/name");
    const target = await findSingleArtifact(source);
    const { path, manifest } = await findEvaluation(target.artifact, { evaluations: target.evaluations, split });
    const confidence = await findConfidence(target.run, manifest.split);
    const { metrics } = await measureEvaluation(path, undefined, { confidence });
    if (metrics.failure !== undefined) {
      throw new CkptError("INVALID_OPTION", { option: "source", expected: "a sound artifact", found: metrics.failure });
    }
    await replaceFile(out, formatEvalResults(metrics.metrics, { dataset, split: manifest.split, confidence }));
    return { metrics: metrics.metrics };
  },
  "in-toto": async ({ source, split, out, gate }) => {
    if (gate === undefined) throw missing("--gate", "the file with what was to be shown");
    const request: GateRequest = { target: source, gate, ...(split === undefined ? {} : { split }) };
    const { report, evaluation } = await holdGate(request);
    const { files } = await readDocument(artifactManifestType, join(report.artifact, manifestNames.artifact));
    const tested = {
      id: basename(report.artifact),
      files,
      split: evaluation.manifest.split,
      gate: (await digestFile(gate)).sha256,
    };
    const statement = describeTestResult(tested, report.verdict, report.judgements);
    await replaceFile(out, `${JSON.stringify(statement, null, 2)}\n`);
    return { verdict: report.verdict };
  },
};

function missing(option: string, expected: string): CkptError {
  return new CkptError("INVALID_OPTION", { option, expected, found: "nothing" });
}
