import { basename, join } from "node:path";

import { selectBackend } from "@ckpt/backend";
import { type ColumnScoring, engineNames, findMetric, listScoringColumns, rankArtifacts } from "@ckpt/evaluator";
import {
  CkptError,
  type RankingManifest,
  readDocument,
  runLayout,
  runManifestType,
  type Split,
  type SplitRole,
} from "@ckpt/manifest";

import { isMeasured, readMeasures } from "../artifact-measures.js";
import { type ArtifactTarget, findArtifacts } from "../artifact-target.js";
import { refuseEqualSplits } from "../check-roles.js";
import type { CommandResult } from "../command-context.js";
import type { Command } from "../command.js";
import type { CkptConfig, EvaluateConfig } from "../config.js";
import { exitCodeOfRanking } from "../exit-code.js";
import { describeRanking, formatRanking } from "../format-ranking.js";
import { type LoadedConfig, loadConfig, loadRunConfig, loadRunConfigIfAny } from "../load-config.js";
import { loadConfigSplits } from "../load-splits.js";
import { loadDataFile } from "../parse-data-options.js";
import { parseScoringOptions, type ScoringArguments } from "../parse-scoring-options.js";
import type { ScoredArtifact } from "../stages/evaluate-stage.js";
import { latencyStage } from "../stages/latency-stage.js";
import { raceStage } from "../stages/race-stage.js";
import { confidenceAfter } from "../test-score.js";
import { chooseRankOptions } from "./rank.js";
import { constraintOption, metricOption, raceOption } from "./ranking-options.js";

interface Arguments extends ScoringArguments {
  readonly target: string;
  readonly config: string | undefined;
  readonly split: string | undefined;
  readonly metric: readonly string[];
  readonly constraint: readonly string[];
  readonly engine: string | undefined;
  readonly output: string | undefined;
  readonly latency: boolean;
  readonly race: boolean | undefined;
  readonly data: string | undefined;
  readonly input: readonly string[];
  readonly label: string | undefined;
  readonly classes: string | undefined;
  readonly scale: number | undefined;
  readonly shape: string | undefined;
}

/** `ckpt evaluate`: predictions and metrics of artifacts on held-out data. */
export const evaluateCommand: Command<Arguments> = {
  usage: "evaluate <target>",
  summary: "Score artifacts on held-out data; predictions are stored and reused",
  examples: [
    ["evaluate runs/dense", "all artifacts of a run on its select split"],
    ["evaluate runs/dense --no-race", "all of them on all rows, also those that cannot be the best"],
    ["evaluate runs/dense/best --split test", "the pick on the test split"],
    [
      "evaluate frozen --data heldout.csv --input 'pixels=/^p/' --scale 0.0625 --label digit --metric accuracy",
      "artifacts from anywhere on a file",
    ],
    ["evaluate runs/dense --slice site --slice 'old=age:60..'", "each site by itself, and the rows from 60 on"],
  ],
  repeatable: ["metric", "constraint", "input", "slice"],
  options: (parser) =>
    parser
      .positional("target", {
        type: "string",
        demandOption: true,
        describe: "A run, an artifact, or a folder of artifacts",
      })
      .option("config", {
        type: "string",
        requiresArg: true,
        describe: "Configuration with the data; default: the run's own",
      })
      .option("split", {
        type: "string",
        requiresArg: true,
        describe: "Split to score on, default: select; with --data the role of the file's rows, default: test",
      })
      .option("metric", metricOption)
      .option("constraint", constraintOption)
      .option("race", raceOption)
      .option("engine", {
        choices: ["auto", ...engineNames],
        requiresArg: true,
        describe: "Inference engine; default: auto",
      })
      .option("output", {
        type: "string",
        requiresArg: true,
        describe: "Output to score, by its name; default: the first",
      })
      .option("latency", {
        type: "boolean",
        default: false,
        describe: "Measure time, load time and memory of one row, once for each architecture; so does a bound on them",
      })
      .option("data", { type: "string", requiresArg: true, describe: "File to score on, all rows of it" })
      .option("input", {
        type: "string",
        array: true,
        default: [],
        requiresArg: true,
        describe: "NAME=/COLUMNS/ or NAME=COLUMN,COLUMN of the file, one for each input",
      })
      .option("label", { type: "string", requiresArg: true, describe: "Label column of the file" })
      .option("classes", {
        type: "string",
        requiresArg: true,
        describe: "Number or names of the classes, such as cat,dog; default: the run's, or those in the file",
      })
      .option("scale", { type: "number", requiresArg: true, describe: "Factor for every input value of the file" })
      .option("shape", { type: "string", requiresArg: true, describe: "Shape of one row, such as 8,8,1" })
      .option("slice", {
        type: "string",
        array: true,
        default: [],
        requiresArg: true,
        describe: "COLUMN, for each of its values, or NAME=COLUMN:VALUES: a or a,b or 18..60; may be repeated",
      })
      .option("weight", { type: "string", requiresArg: true, describe: "Column whose numbers weigh the rows" })
      .option("group-by", {
        type: "string",
        requiresArg: true,
        describe: "Column whose equal values belong together, such as a patient's: intervals are of groups",
      })
      .conflicts("data", "config")
      .implies({ label: "data", classes: "data", scale: "data", shape: "data" }),
  run: async (given, context) => {
    const target = await findArtifacts(given.target);
    const loaded = await findConfig(given, target);
    const config = given.data === undefined ? loaded?.config : undefined;
    const options = chooseOptions(given, config);
    const split = await findSplit(given, loaded, options);
    if (target.run !== undefined) {
      refuseEqualSplits(split, (await readDocument(runManifestType, join(target.run, runLayout.manifest))).data);
    }
    await selectBackend(config?.backend);
    const request = { ...target, ...options, split };
    const scored = await raceStage(request, context);
    const { artifacts, evaluations } = target;
    const isTimed = given.latency || (options.constraints ?? []).some(isMeasured);
    const latencies = isTimed ? await latencyStage(request, context) : [];
    const testReads = Math.max(0, ...scored.map((entry) => entry.testReads ?? 0));
    const ranking = await rankArtifacts({
      artifacts,
      evaluations,
      split: split.digest,
      measures: await readMeasures(evaluations),
      ...chooseRankOptions(options),
      ...(testReads > 1 ? { confidence: confidenceAfter(testReads) } : {}),
      ...(options.output === undefined ? {} : { output: options.output }),
    });
    return {
      document: {
        ...describeEvaluation(ranking, artifacts, scored),
        ...(isTimed ? { latencies } : {}),
        ...(testReads > 0 ? { testReads } : {}),
      },
      text: formatRanking(ranking) + (testReads > 1 ? `test set read ${testReads} times\n` : ""),
      exitCode: exitCodeOfRanking(ranking),
    };
  },
};

/** Of the run or as it is named; of a file's artifacts, that of their run if there is one. */
async function findConfig(given: Arguments, { run }: ArtifactTarget): Promise<LoadedConfig | undefined> {
  if (given.data !== undefined) return run === undefined ? undefined : loadRunConfigIfAny(run);
  if (given.input.length > 0) {
    const expected = "only with --data, whose columns it names";
    throw new CkptError("INVALID_OPTION", { option: "--input", expected, found: "no --data" });
  }
  if (given.config !== undefined) return loadConfig(given.config);
  if (run !== undefined) return loadRunConfig(run);
  const expected = "a file, or --config, since these artifacts belong to no run";
  throw new CkptError("INVALID_OPTION", { option: "--data", expected, found: "neither" });
}

async function findSplit(given: Arguments, loaded: LoadedConfig | undefined, scoring: ColumnScoring): Promise<Split> {
  if (given.data !== undefined) {
    // Not select: predictions on another file would stand beside those the run is ranked by.
    const role = parseRole(given.split ?? "test");
    const options = { ...given, data: given.data, columns: listScoringColumns(scoring) };
    return loadDataFile(options, role, loaded?.config.data.label?.classes);
  }
  if (loaded === undefined) throw new TypeError("without a file there is a configuration");
  return (await loadConfigSplits(loaded, { scoring, storage: "disk" })).get(
    given.split ?? loaded.config.evaluate?.split ?? "select",
  );
}

function parseRole(name: string): SplitRole {
  if (name === "train" || name === "validation" || name === "select" || name === "test") return name;
  const expected = "train, validation, select or test with --data";
  throw new CkptError("INVALID_OPTION", { option: "--split", expected, found: name });
}

/** What is typed goes before what the configuration says. */
function chooseOptions(
  given: Arguments,
  config: CkptConfig | undefined,
): Omit<EvaluateConfig, "split"> & { readonly output?: string } {
  const { split: _, ...configured } = config?.evaluate ?? {};
  const metrics = given.metric.length > 0 ? given.metric : configured.metrics;
  const engine = (given.engine as EvaluateConfig["engine"]) ?? configured.engine;
  return {
    ...configured,
    ...(metrics === undefined
      ? {}
      : { metrics: metrics.map((metric) => (typeof metric === "string" ? findMetric(metric).name : metric)) }),
    ...(engine === undefined ? {} : { engine }),
    ...(given.constraint.length === 0 ? {} : { constraints: given.constraint }),
    ...(given.race === undefined ? {} : { race: given.race }),
    ...(given.output === undefined ? {} : { output: given.output }),
    ...parseScoringOptions(given, configured),
  };
}

function describeEvaluation(
  ranking: RankingManifest,
  artifacts: readonly string[],
  scored: readonly ScoredArtifact[],
): CommandResult["document"] {
  const paths = new Map(artifacts.map((artifact) => [basename(artifact), artifact]));
  const byId = new Map(scored.map((entry) => [basename(entry.artifact), entry]));
  return {
    ...describeRanking(ranking),
    candidates: ranking.candidates.map((candidate) => {
      const entry = byId.get(candidate.id);
      return {
        ...candidate,
        path: paths.get(candidate.id),
        predictions: entry?.evaluation,
        isReused: entry?.isReused,
        confusion: entry?.metrics.confusion,
      };
    }),
  };
}
