import { basename } from "node:path";

import {
  type ChampionOptions,
  findEvaluation,
  judgeArtifact,
  parseRequirement,
  type StoredEvaluation,
  type Verdict,
} from "@ckpt/evaluator";
import { CkptError } from "@ckpt/manifest";

import { readMeasures } from "../artifact-measures.js";
import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { type GateFile, readGateFile } from "../gate-file.js";
import { formatGate, type GateReport } from "../gate-report.js";
import { parseReporters, writeReports } from "../gate-reporter.js";
import { findByAlias, findSingleArtifact, locateRun, type SingleArtifact } from "../single-artifact.js";
import { findConfidence } from "../test-score.js";

interface Arguments {
  readonly target: string;
  readonly gate: string | undefined;
  readonly require: readonly string[];
  readonly champion: string | undefined;
  readonly metric: string | undefined;
  readonly margin: number | undefined;
  readonly mode: ChampionOptions["mode"] | undefined;
  readonly split: string | undefined;
  readonly reporter: readonly string[];
  /** The option that all commands have: the document is on standard output. */
  readonly json?: boolean;
}

const exitCodeOf: Readonly<Record<Verdict, number>> = {
  pass: exitCodes.ok,
  fail: exitCodes.gateFailed,
  inconclusive: exitCodes.inconclusive,
};

/** `ckpt gate`: whether an artifact is shown to be good enough. */
export const gateCommand: Command<Arguments> = {
  usage: "gate <target>",
  summary: "Hold an artifact's stored scores against thresholds and a champion: 0 passes, 1 fails, 5 cannot tell",
  examples: [
    ["gate runs/dense --require 'accuracy>=0.95' --require 'recall[worst class]>=0.9'", "by bounds of the intervals"],
    ["gate runs/dense --champion champion --margin 0.01", "not worse than the champion by more than 0.01"],
    ["gate runs/dense --gate ckpt.gate.json --reporter junit=gate.xml --reporter github", "in CI"],
  ],
  repeatable: ["require", "reporter"],
  options: (parser) =>
    parser
      .positional("target", { type: "string", demandOption: true, describe: "A run, for its pick, or an artifact" })
      .option("gate", { type: "string", requiresArg: true, describe: "JSON file with requirements and champion" })
      .option("require", {
        type: "string",
        array: true,
        default: [],
        requiresArg: true,
        describe: "METRIC>=NUMBER, with [slice=NAME], [class=NAME], [worst slice] or [worst class] behind the metric",
      })
      .option("champion", { type: "string", requiresArg: true, describe: "Alias to be compared with" })
      .option("metric", {
        type: "string",
        requiresArg: true,
        describe: "Metric to compare by; default: the task's first",
      })
      .option("margin", { type: "number", requiresArg: true, describe: "In units of the metric; default: 0" })
      .option("mode", {
        choices: ["non-inferior", "superior"] as const,
        requiresArg: true,
        describe: "What to show against the champion; default: non-inferior",
      })
      .option("split", { type: "string", requiresArg: true, describe: "Split whose scores count; default: test" })
      .option("reporter", {
        type: "string",
        array: true,
        default: [],
        requiresArg: true,
        describe: "junit, github or json, each with =FILE or not; github appends to GITHUB_STEP_SUMMARY",
      }),
  run: async (given) => {
    const reporters = parseReporters(given.reporter, process.env, given.json === true);
    const { report } = await holdGate(given);
    const printed = await writeReports(report, reporters);
    return { document: { ...report }, text: printed ?? formatGate(report), exitCode: exitCodeOf[report.verdict] };
  },
};

/** What a gate is held with, as it is typed. */
export type GateRequest = Pick<Arguments, "target"> & Partial<Arguments>;

/**
 * Judges a run's pick or an artifact by what is typed and what the file says.
 *
 * @throws {CkptError} What `judgeArtifact` throws; INVALID_OPTION, CONFIG_NOT_FOUND, CONFIG_INVALID.
 */
export async function holdGate(
  given: GateRequest,
): Promise<{ readonly report: GateReport; readonly evaluation: StoredEvaluation }> {
  const file = given.gate === undefined ? {} : await readGateFile(given.gate);
  const target = await findSingleArtifact(given.target);
  const { artifact, evaluations } = target;
  const split = given.split ?? file.split ?? "test";
  const { manifest } = await findEvaluation(artifact, { evaluations, split });
  const champion = await findChampion(given, file, target);
  const { evaluation, ...judged } = await judgeArtifact({
    artifact,
    evaluations,
    split: manifest.split.digest,
    requirements: [...(file.requirements ?? []), ...(given.require ?? [])].map(parseRequirement),
    confidence: await findConfidence(target.run, manifest.split),
    measures: (await readMeasures(evaluations))[basename(artifact)] ?? {},
    ...(file.minRows === undefined ? {} : { minRows: file.minRows }),
    ...(champion === undefined ? {} : { champion }),
  });
  const { name, rowCount } = manifest.split;
  return { report: { artifact, split: { name, rowCount }, ...judged }, evaluation };
}

/** What is typed goes before what the file says. */
async function findChampion(
  given: GateRequest,
  { champion }: GateFile,
  { run }: SingleArtifact,
): Promise<ChampionOptions | undefined> {
  const alias = given.champion ?? champion?.alias;
  if (alias === undefined) {
    const stray = (["metric", "margin", "mode"] as const).find((option) => given[option] !== undefined);
    if (stray === undefined) return undefined;
    throw new CkptError("INVALID_OPTION", { option: `--${stray}`, expected: "only with --champion", found: "none" });
  }
  if (run === undefined) {
    const expected = "an artifact of a run, whose folder has the aliases";
    throw new CkptError("INVALID_OPTION", { option: "--champion", expected, found: "an artifact of no run" });
  }
  const { artifact, evaluations } = await findByAlias(locateRun(run).runs, alias);
  const metric = given.metric ?? champion?.metric;
  const margin = given.margin ?? champion?.margin ?? 0;
  if (!(margin >= 0)) {
    throw new CkptError("INVALID_OPTION", { option: "--margin", expected: "a number from 0", found: String(margin) });
  }
  const mode = given.mode ?? champion?.mode ?? "non-inferior";
  return { artifact, evaluations, margin, mode, ...(metric === undefined ? {} : { metric }) };
}
