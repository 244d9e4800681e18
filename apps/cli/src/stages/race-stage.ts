import { raceArtifacts } from "@ckpt/evaluator";
import { type RaceManifest, recordTestRead } from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import { chooseRankOptions, type RankOptions } from "../commands/rank.js";
import { type EvaluateRequest, evaluateStage, keepScoring, type ScoredArtifact } from "./evaluate-stage.js";

/** What to score and how, and what it is ranked by. */
export interface RaceRequest extends Omit<EvaluateRequest, "metrics" | "engine">, RankOptions {
  /** Whether losers may be dropped before they are scored on all rows. Default: where it pays. */
  readonly race?: boolean;
}

/**
 * Scores artifacts on all rows but those that a race drops. Where one that the race left turns out to be unfit, those that
 * it may have dropped race again without it.
 *
 * @throws {CkptError} What `raceArtifacts` and `evaluateStage` throw.
 */
export async function raceStage(request: RaceRequest, context: CommandContext): Promise<readonly ScoredArtifact[]> {
  const { race: wanted, constraints: _, ...toScore } = request;
  if (wanted === false) return evaluateStage(toScore, context);
  await keepScoring(toScore);
  const { weights: _weights, groupBy: _groups, slices: _slices, ...toRace } = toScore;
  const scored = new Map<string, ScoredArtifact>();
  let { artifacts } = request;
  for (;;) {
    const { race, isReused, ...left } = await raceArtifacts({
      ...toRace,
      ...chooseRankOptions(request),
      artifacts,
      isDemanded: wanted === true,
      onProgress: ({ candidateCount, runningCount, rowsSeen, rowsTotal }) => {
        context.signal.throwIfAborted();
        const rows = `${rowsSeen}/${rowsTotal} rows`;
        context.progress.update(`race      ${runningCount} of ${candidateCount} left on ${request.split.name} ${rows}`);
      },
    });
    if (race !== undefined) {
      context.progress.done(describeRace(race, isReused));
      await recordReads(race, request);
    }
    const unscored = left.artifacts.filter((artifact) => !scored.has(artifact));
    for (const entry of await evaluateStage({ ...toScore, artifacts: unscored }, context)) {
      scored.set(entry.artifact, entry);
    }
    const isUnfit = (artifact: string): boolean => scored.get(artifact)?.metrics.failure !== undefined;
    if (race === undefined || !left.artifacts.some(isUnfit)) return [...scored.values()];
    artifacts = artifacts.filter((artifact) => !isUnfit(artifact));
  }
}

function describeRace({ split, metric, looks, candidates }: RaceManifest, isReused: boolean): string {
  const droppedCount = candidates.filter(({ isDropped }) => isDropped).length;
  const rows = `${looks.at(-1) ?? 0} of ${split.rowCount} rows`;
  const stored = isReused ? ", stored race" : "";
  return `race      ${droppedCount} of ${candidates.length} dropped on ${split.name}  by ${metric.name} (${rows}${stored})`;
}

/** Whoever raced on test rows was scored on them. */
async function recordReads({ split, candidates }: RaceManifest, { run }: Pick<RaceRequest, "run">): Promise<void> {
  if (run === undefined || split.role !== "test") return;
  for (const { artifact } of candidates) await recordTestRead(run, { split, artifact });
}
