import { join } from "node:path";

import { readSource, type RunSource } from "@ckpt/freezer";
import { CkptError, type RankingManifest, runLayout, type Split } from "@ckpt/manifest";
import { listCheckpoints } from "@ckpt/trainer";

import { isMeasured } from "../artifact-measures.js";
import { findArtifacts } from "../artifact-target.js";
import { checkRoles, refuseTestRows } from "../check-roles.js";
import type { CommandContext } from "../command-context.js";
import type { Command } from "../command.js";
import { exitCodeOfRanking, exitCodes } from "../exit-code.js";
import { describeRanking, formatRanking } from "../format-ranking.js";
import { type LoadedConfig, loadConfig, resolveRun } from "../load-config.js";
import { loadConfigSplits, type Splits } from "../load-splits.js";
import { findRecomputation } from "../recompute-batch-norm.js";
import { evaluateStage } from "../stages/evaluate-stage.js";
import { describeBackend, freezeRunStage } from "../stages/freeze-stage.js";
import { latencyStage } from "../stages/latency-stage.js";
import { raceStage } from "../stages/race-stage.js";
import { type Soup, type SoupRequest, soupStage } from "../stages/soup-stage.js";
import { trainStage } from "../stages/train-stage.js";
import { formatCorrected, formatTest, scoreTest, type TestScore } from "../test-score.js";
import { rankRun } from "./rank.js";
import { addTrainingOptions, type TrainingArguments } from "./training-options.js";

/** `ckpt run`: all stages, from data to the pick and its test score. */
export const runCommand: Command<TrainingArguments> = {
  usage: "run [config]",
  summary: "Train, freeze, evaluate and rank; then score the pick once on the test split",
  examples: [
    ["run", "run what ./ckpt.config.ts describes"],
    ["run examples/digits --fresh", "start over"],
  ],
  options: addTrainingOptions,
  run: async ({ config, resume, fresh }, context) => {
    const loaded = await loadConfig(config);
    const splits = await loadConfigSplits(loaded);
    await checkRoles(splits.all, loaded.config.data.files.length, context.progress);
    const run = resolveRun(loaded);
    // Before anything is trained: what is wrong with a split should not be found out at the end.
    const select = splits.get(loaded.config.evaluate?.split ?? "select");
    refuseTestRows(select, "evaluate.split");
    const trained = await trainStage(loaded, splits, { resume, fresh }, context);
    context.signal.throwIfAborted();
    const source = await readRunSource(run);
    const setUp = { ...describeBackend(loaded), config: loaded.path, register: [] };
    const frozen = await freezeRunStage(source, loaded.config.freeze ?? {}, { setUp }, context);
    const hasSoups = (loaded.config.soups ?? []).length > 0;
    // Soups are made of those with a score.
    const { split: _, race = hasSoups ? false : undefined, ...options } = loaded.config.evaluate ?? {};
    const target = await findArtifacts(run);
    const raced = race === undefined ? {} : { race };
    await raceStage({ ...target, ...options, ...raced, split: select }, context);
    const soups = await makeSoups(loaded, splits, { run, split: select, evaluate: options }, context);
    if ((options.constraints ?? []).some(isMeasured)) {
      await latencyStage({ ...(await findArtifacts(run)), ...options, split: select }, context);
    }
    const ranking = await rankRun(run, select.digest, options);
    const testSplit = splits.has("test") ? splits.get("test") : undefined;
    const test = testSplit && (await scorePick(loaded, run, ranking, testSplit, context));
    return {
      document: {
        run,
        train: { step: trained.step, epoch: trained.epoch, reason: trained.reason },
        skipped: source.skipped,
        artifacts: frozen.map(({ path, manifest }) => ({ path, digest: manifest.digest, parity: manifest.parity })),
        soups,
        ranking: describeRanking(ranking),
        pick: ranking.pick ?? null,
        best: ranking.pick === undefined ? null : join(run, runLayout.best),
        test: test ?? null,
      },
      text:
        formatRanking(ranking) +
        (test === undefined || testSplit === undefined ? formatCorrected(ranking) : formatTest(test, testSplit)) +
        (ranking.pick === undefined ? "" : `best ${join(run, runLayout.best)}\n`),
      exitCode: source.skipped.length > 0 ? exitCodes.badInput : exitCodeOfRanking(ranking),
    };
  },
};

/** What `soups` asks for; of a run that kept a single checkpoint there is nothing to average. */
async function makeSoups(
  loaded: LoadedConfig,
  splits: Splits,
  request: Pick<SoupRequest, "run" | "split" | "evaluate">,
  context: CommandContext,
): Promise<readonly Soup[]> {
  const { soups: kinds = [], freeze = {} } = loaded.config;
  if (kinds.length === 0) return [];
  const { checkpoints } = await listCheckpoints(request.run);
  if (checkpoints.length < 2) {
    context.progress.warn("soup      none: the run has less than two trained checkpoints");
    return [];
  }
  const recomputation = await findRecomputation(loaded, splits, context.signal);
  return soupStage({ ...request, kinds, freeze, ...recomputation }, context);
}

async function readRunSource(run: string): Promise<RunSource> {
  const source = await readSource(run);
  if (source.kind !== "run") throw new CkptError("RUN_NOT_FOUND", { path: run });
  return source;
}

/** The one reading of the test split: the pick alone, after it was chosen. */
async function scorePick(
  { config }: LoadedConfig,
  run: string,
  ranking: RankingManifest,
  split: Split,
  context: CommandContext,
): Promise<TestScore | undefined> {
  if (ranking.pick === undefined) return undefined;
  const { split: _, race: _race, ...options } = config.evaluate ?? {};
  const artifact = join(run, runLayout.artifacts, ranking.pick.id);
  const evaluations = join(run, runLayout.evaluations);
  const [scored] = await evaluateStage({ artifacts: [artifact], evaluations, run, ...options, split }, context);
  return scored && scoreTest(scored, ranking, options.metrics);
}
