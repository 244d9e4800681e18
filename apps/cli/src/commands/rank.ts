import { join } from "node:path";

import { parseConstraint, rankArtifacts, type RankArtifactsOptions, writeRanking } from "@ckpt/evaluator";
import { CkptError, type RankingManifest, runLayout } from "@ckpt/manifest";

import { readMeasures } from "../artifact-measures.js";
import { findArtifacts } from "../artifact-target.js";
import { refuseTestRows } from "../check-roles.js";
import type { Command } from "../command.js";
import type { EvaluateConfig } from "../config.js";
import { exitCodeOfRanking } from "../exit-code.js";
import { describeRanking, formatRanking } from "../format-ranking.js";
import { identifyFolder } from "../identify-folder.js";
import { loadRunConfigIfAny } from "../load-config.js";
import { constraintOption, metricOption } from "./ranking-options.js";

interface Arguments {
  readonly run: string;
  readonly split: string | undefined;
  readonly metric: readonly string[];
  readonly constraint: readonly string[];
}

/** `ckpt rank`: the ranking from stored predictions. */
export const rankCommand: Command<Arguments> = {
  usage: "rank <run>",
  summary: "Rank a run's artifacts from stored predictions, with no inference, and point best at the pick",
  examples: [
    ["rank runs/dense", "by the run's own metric"],
    ["rank runs/dense --metric logLoss", "by another one"],
    ["rank runs/dense --constraint 'bytes<=2MB' --constraint 'logLoss<0.2'", "only those that keep to these"],
  ],
  repeatable: ["metric", "constraint"],
  options: (parser) =>
    parser
      .positional("run", { type: "string", demandOption: true, describe: "A run that was evaluated" })
      .option("split", {
        type: "string",
        requiresArg: true,
        describe: "Split whose predictions count; default: select",
      })
      .option("metric", metricOption)
      .option("constraint", constraintOption),
  run: async ({ run, split, metric, constraint }) => {
    if ((await identifyFolder(run)) !== "run") throw new CkptError("RUN_NOT_FOUND", { path: run });
    const configured = (await loadRunConfigIfAny(run))?.config.evaluate;
    const options = {
      ...configured,
      ...(metric.length > 0 ? { metrics: metric } : {}),
      ...(constraint.length > 0 ? { constraints: constraint } : {}),
    };
    const ranking = await rankRun(run, split ?? configured?.split ?? "select", options);
    const best = ranking.pick === undefined ? null : join(run, runLayout.best);
    return {
      document: { run, ...describeRanking(ranking), best },
      text: formatRanking(ranking),
      exitCode: exitCodeOfRanking(ranking),
    };
  },
};

/**
 * Ranks all artifacts of a run on a split and writes `ranking.json` and `best`.
 *
 * @throws {CkptError} INVALID_OPTION for test rows, which are for what was chosen by others, and when the options weigh or
 *   group rows otherwise than the last evaluation of the split did; what `rankArtifacts` throws.
 */
export async function rankRun(run: string, split: string, options: RankOptions): Promise<RankingManifest> {
  const { artifacts, evaluations } = await findArtifacts(run);
  const measures = await readMeasures(evaluations);
  const ranking = await rankArtifacts({ artifacts, evaluations, split, measures, ...chooseRankOptions(options) });
  refuseTestRows(ranking.split, "--split");
  refuseOtherScoring(ranking, options);
  await writeRanking(run, ranking);
  return ranking;
}

/** What of the configuration's `evaluate` decides a ranking. */
export type RankOptions = Pick<EvaluateConfig, "metrics" | "engine" | "constraints" | "weights" | "groupBy">;

/** Rows count as at the last evaluation, since the columns' values are known from there. */
function refuseOtherScoring(ranking: RankingManifest, options: RankOptions): void {
  for (const field of ["weights", "groupBy"] as const) {
    const found = options[field];
    if (found === undefined || found === ranking[field]) continue;
    const expected = `${ranking[field] ?? "none"}, as when split ${ranking.split.name} was evaluated; evaluate it again to change that`;
    throw new CkptError("INVALID_OPTION", { option: `evaluate.${field}`, expected, found });
  }
}

/**
 * The first metric ranks, and a metric that a constraint names is computed too; predictions of other engines than the one
 * that is named do not count.
 *
 * @throws {CkptError} INVALID_OPTION for a constraint that cannot be read.
 */
export function chooseRankOptions({
  metrics,
  engine,
  constraints = [],
}: RankOptions): Omit<RankArtifactsOptions, "artifacts" | "evaluations" | "split"> {
  return {
    ...(metrics?.[0] === undefined ? {} : { metric: metrics[0], metrics }),
    ...(engine === undefined || engine === "auto" ? {} : { engine }),
    ...(constraints.length === 0 ? {} : { constraints: constraints.map(parseConstraint) }),
  };
}
