import type { Command } from "../command.js";
import { diffArtifacts } from "../diff-artifacts.js";
import { exitCodes } from "../exit-code.js";
import { identifyFolder } from "../identify-folder.js";
import { metricOption } from "./ranking-options.js";

interface Arguments {
  readonly first: string;
  readonly second: string;
  readonly split: string | undefined;
  readonly metric: readonly string[];
}

/** `ckpt diff`: two artifacts by what they are, or the picks of two runs by how they score. */
export const diffCommand: Command<Arguments> = {
  usage: "diff <first> <second>",
  summary: "Say how two artifacts differ, or whether the pick of a run is better than that of another",
  examples: [
    ["diff runs/dense/artifacts/step-00000120 runs/dense/best", "source, signature, operations, weights, parity"],
    ["diff frozen quantized --json", "the same as JSON"],
    ["diff runs/dense runs/conv", "the scores of two picks on the select split"],
    ["diff runs/dense runs/conv --split test --metric accuracy --metric ece", "on another, by these metrics"],
  ],
  repeatable: ["metric"],
  options: (parser) =>
    parser
      .positional("first", { type: "string", demandOption: true, describe: "A run, or an artifact" })
      .positional("second", { type: "string", demandOption: true, describe: "Another one" })
      .option("split", {
        type: "string",
        requiresArg: true,
        describe: "Compares scores, two artifacts' too: split whose stored predictions count; default: select",
      })
      .option("metric", {
        ...metricOption,
        describe: "Compares scores, two artifacts' too: metric, may be repeated; default: those of the task",
      }),
  run: async ({ first, second, split, metric }) => {
    const kinds = [await identifyFolder(first), await identifyFolder(second)];
    const isByScore = kinds.includes("run") || split !== undefined || metric.length > 0;
    if (!isByScore) return { ...(await diffArtifacts(first, second)), exitCode: exitCodes.ok };
    const { diffRuns, formatRunDiff } = await import("../diff-runs.js");
    const diff = await diffRuns(first, second, split ?? "select", metric);
    return { document: { ...diff }, text: formatRunDiff(diff), exitCode: exitCodes.ok };
  },
};
