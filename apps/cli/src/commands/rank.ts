import { join } from "node:path";

import { rankArtifacts, type RankArtifactsOptions, writeRanking } from "@ckpt/evaluator";
import { CkptError, type RankingManifest, runLayout } from "@ckpt/manifest";

import { findArtifacts } from "../artifact-target.js";
import type { Command } from "../command.js";
import type { EvaluateConfig } from "../config.js";
import { exitCodeOfRanking } from "../exit-code.js";
import { describeRanking, formatRanking } from "../format-ranking.js";
import { identifyFolder } from "../identify-folder.js";
import { loadRunConfigIfAny } from "../load-config.js";
import { metricOption } from "./metric-option.js";

interface Arguments {
  readonly run: string;
  readonly split: string | undefined;
  readonly metric: readonly string[];
}

/** `ckpt rank`: the ranking from stored predictions. */
export const rankCommand: Command<Arguments> = {
  usage: "rank <run>",
  summary: "Rank a run's artifacts from stored predictions, with no inference, and point best at the pick",
  examples: [
    ["rank runs/dense", "by the run's own metric"],
    ["rank runs/dense --metric logLoss", "by another one"],
  ],
  repeatable: ["metric"],
  options: (parser) =>
    parser
      .positional("run", { type: "string", demandOption: true, describe: "A run that was evaluated" })
      .option("split", {
        type: "string",
        requiresArg: true,
        describe: "Split whose predictions count; default: select",
      })
      .option("metric", metricOption),
  run: async ({ run, split, metric }) => {
    if ((await identifyFolder(run)) !== "run") throw new CkptError("RUN_NOT_FOUND", { path: run });
    const configured = (await loadRunConfigIfAny(run))?.config.evaluate;
    const options = { ...configured, ...(metric.length > 0 ? { metrics: metric } : {}) };
    const ranking = await rankRun(run, split ?? configured?.split ?? "select", options);
    const best = ranking.pick === undefined ? null : join(run, runLayout.best);
    return {
      document: { run, ...describeRanking(ranking), best },
      text: formatRanking(ranking),
      exitCode: exitCodeOfRanking(ranking),
    };
  },
};

/** Ranks all artifacts of a run on a split and writes `ranking.json` and `best`. */
export async function rankRun(run: string, split: string, options: RankOptions): Promise<RankingManifest> {
  const { artifacts, evaluations } = await findArtifacts(run);
  const ranking = await rankArtifacts({ artifacts, evaluations, split, ...chooseRankOptions(options) });
  await writeRanking(run, ranking);
  return ranking;
}

/** What of the configuration's `evaluate` decides a ranking. */
export type RankOptions = Pick<EvaluateConfig, "metrics" | "engine">;

/** The first metric ranks; predictions of other engines than the one that is named do not count. */
export function chooseRankOptions({
  metrics,
  engine,
}: RankOptions): Omit<RankArtifactsOptions, "artifacts" | "evaluations" | "split"> {
  return {
    ...(metrics?.[0] === undefined ? {} : { metric: metrics[0], metrics }),
    ...(engine === undefined || engine === "auto" ? {} : { engine }),
  };
}
