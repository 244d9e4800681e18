import { basename, join } from "node:path";

import { rankArtifacts } from "@ckpt/evaluator";
import { readSource } from "@ckpt/freezer";
import { artifactPath, CkptError, compareMetric, type RankingManifest, runLayout, type Split } from "@ckpt/manifest";
import { type AverageBatchNormOptions, averageCheckpoints, type Checkpoint, listCheckpoints } from "@ckpt/trainer";

import type { CommandContext } from "../command-context.js";
import { chooseRankOptions } from "../commands/rank.js";
import type { EvaluateConfig, SoupKind } from "../config.js";
import { pickGreedily } from "../greedy-soup.js";
import { findInRun } from "../identify-folder.js";
import { formatMetric } from "../table.js";
import { evaluateStage } from "./evaluate-stage.js";
import { freezeModelStage, type FreezeRequest } from "./freeze-stage.js";

/** Which soups to make of a run's trained checkpoints, and how they are scored. */
export interface SoupRequest {
  readonly run: string;
  readonly kinds: readonly SoupKind[];
  /** That the checkpoints' artifacts were scored on. */
  readonly split: Split;
  readonly freeze: FreezeRequest;
  readonly evaluate: Omit<EvaluateConfig, "split">;
  /** How batch-norm statistics of the averages are computed. Default: as the mean of the checkpoints' own. */
  readonly recompute?: AverageBatchNormOptions;
}

/** A soup: one more candidate of the run. */
export interface Soup {
  readonly kind: SoupKind;
  /** The average's folder; absent when the best alone was better than every mean. */
  readonly path?: string;
  /** Steps of what it is the mean of. */
  readonly steps: readonly number[];
  readonly score?: number;
}

/** What was tried for a greedy soup: a run of its own, hidden, so that trials are found again and are no candidates. */
const trialsFolder = ".soups";

interface ScoredCheckpoints {
  readonly metric: RankingManifest["metric"];
  readonly scored: readonly { readonly member: Checkpoint; readonly score: number }[];
}

/** An average and its primary metric. */
interface ScoredMean {
  readonly path: string;
  readonly score: number;
}

/**
 * Averages the trained checkpoints whose artifacts were scored, freezes and scores the averages; then they are candidates
 * like any other.
 *
 * @throws {CkptError} INVALID_OPTION when less than two were scored; what averaging, freezing and scoring throw.
 */
export async function soupStage(request: SoupRequest, context: CommandContext): Promise<readonly Soup[]> {
  const { metric, scored } = await scoreTrained(request);
  const score = (run: string, members: readonly Checkpoint[]): Promise<ScoredMean> =>
    scoreMean(run, members, metric.name, request, context);
  if (scored.length < 2) {
    const expected = "two or more trained checkpoints with a score";
    throw new CkptError("INVALID_OPTION", { option: "soups", expected, found: String(scored.length) });
  }
  const soups: Soup[] = [];
  for (const kind of request.kinds) {
    const members = kind === "uniform" ? scored.map(({ member }) => member) : await pickMembers();
    const steps = members.map(({ step }) => step);
    const mean = members.length < 2 ? undefined : await score(request.run, members);
    const found = mean === undefined ? "the best alone is better" : `score ${formatMetric(mean.score)}`;
    const treatment = request.recompute === undefined ? "" : ", batch-norm statistics recomputed";
    context.progress.done(`soup      ${kind} (${members.length} of ${scored.length})  ${found}${treatment}`);
    soups.push({ kind, steps, ...mean });
  }
  return soups;

  async function pickMembers(): Promise<readonly Checkpoint[]> {
    const trials = join(request.run, trialsFolder);
    const { members } = await pickGreedily(scored, metric.mode, async (tried) => (await score(trials, tried)).score);
    return members;
  }
}

/** Trained checkpoints with the primary metric of their artifacts, best first. */
async function scoreTrained({ run, split, evaluate }: SoupRequest): Promise<ScoredCheckpoints> {
  const { checkpoints } = await listCheckpoints(run);
  const artifacts = new Set((await findInRun(run, "artifact")).map((path) => basename(path)));
  const known = checkpoints.filter(({ path }) => artifacts.has(basename(path)));
  if (known.length === 0) throw new CkptError("ARTIFACT_NOT_FOUND", { path: join(run, runLayout.artifacts) });
  const ranking = await rankArtifacts({
    artifacts: known.map(({ path }) => artifactPath(run, basename(path))),
    evaluations: join(run, runLayout.evaluations),
    split: split.digest,
    ...chooseRankOptions(evaluate),
  });
  const { name, mode } = ranking.metric;
  const scored = ranking.candidates
    .filter(({ status }) => status !== "failed")
    .flatMap(({ checkpoint, metrics }): ScoredCheckpoints["scored"] => {
      const member = known.find(({ manifest }) => manifest.digest === checkpoint.digest);
      const score = metrics[name]?.value;
      return member === undefined || score === undefined ? [] : [{ member, score }];
    })
    .toSorted((a, b) => compareMetric(a.score, b.score, mode) || a.member.step - b.member.step);
  return { metric: ranking.metric, scored };
}

/** Averages into a run's folder, freezes and scores the average; each is taken as it is where it is there already. */
async function scoreMean(
  run: string,
  checkpoints: readonly Checkpoint[],
  metric: string,
  { split, freeze, evaluate, recompute }: SoupRequest,
  context: CommandContext,
): Promise<ScoredMean> {
  context.signal.throwIfAborted();
  const { path } = await averageCheckpoints({ run, checkpoints, ...(recompute === undefined ? {} : { recompute }) });
  const source = await readSource(path);
  if (source.kind !== "checkpoint") throw new TypeError("an average is a checkpoint");
  const artifact = artifactPath(run, basename(path));
  await freezeModelStage(source, artifact, freeze, context);
  const evaluations = join(run, runLayout.evaluations);
  const [scored] = await evaluateStage({ artifacts: [artifact], evaluations, ...evaluate, split }, context);
  return { path, score: scored?.metrics.metrics[metric]?.value ?? Number.NaN };
}
