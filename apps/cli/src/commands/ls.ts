import { basename, join } from "node:path";

import { CkptError, isCkptError } from "@ckpt/manifest";

import type { Command } from "../command.js";
import { describeRun, type RunDescription } from "../describe-run.js";
import { describeSavedFolder, type SavedFolderDescription } from "../describe-saved-folder.js";
import { exitCodes } from "../exit-code.js";
import { findFolders, identifyFolder } from "../identify-folder.js";
import { formatBytes, formatCount, formatMetric, formatTable, leftColumn, rightColumn } from "../table.js";

interface Arguments {
  readonly path: string;
  readonly limit: number;
}

/** A screenful: a long run is read from its newest end. */
const defaultLimit = 50;

/** `ckpt ls`: the checkpoints of a run, the runs of a folder, or the checkpoints that TensorFlow saved in one. */
export const lsCommand: Command<Arguments> = {
  usage: "ls [path]",
  summary: "List the checkpoints of a run, the runs in a folder, or the checkpoints TensorFlow saved in one",
  examples: [
    ["ls", "runs in this folder or in ./runs"],
    ["ls runs/dense", "the newest 50 checkpoints of one run, and the pick"],
    ["ls runs/dense --limit 0", "all of them"],
    ["ls path/to/save", "what the checkpoint file of tf.train.Saver lists"],
  ],
  options: (parser) =>
    parser
      .positional("path", {
        type: "string",
        default: ".",
        describe: "A run, a folder that holds runs, or one with TensorFlow's checkpoints",
      })
      .option("limit", {
        type: "number",
        default: defaultLimit,
        requiresArg: true,
        describe: "So many of each run's newest checkpoints, and the pick and aliases besides; 0 lists all",
      }),
  run: async ({ path, limit }) => {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new CkptError("INVALID_OPTION", { option: "--limit", expected: "an integer from 0", found: String(limit) });
    }
    const runs: RunDescription[] = [];
    const invalid: InvalidRun[] = [];
    const found = await findRuns(path);
    if (found.length === 0) {
      const saved = await describeSavedFolder(path, { limit });
      if (saved === undefined) throw new CkptError("RUN_NOT_FOUND", { path });
      const exitCode = saved.invalid.length > 0 ? exitCodes.badInput : exitCodes.ok;
      return { document: { runs, invalid, saved }, text: formatSavedFolder(saved), exitCode };
    }
    for (const run of found) {
      try {
        runs.push(await describeRun(run, { limit }));
      } catch (error) {
        if (!isCkptError(error)) throw error;
        invalid.push({ path: run, reason: error.message });
      }
    }
    const text = [...runs.map(formatRun), ...invalid.map(({ reason }) => `invalid ${reason}\n`)].join("\n");
    return { document: { runs, invalid }, text, exitCode: invalid.length > 0 ? exitCodes.badInput : exitCodes.ok };
  },
};

/** A folder with a `run.json` that cannot be read; the reason names the file. */
interface InvalidRun {
  readonly path: string;
  readonly reason: string;
}

async function findRuns(path: string): Promise<readonly string[]> {
  if ((await identifyFolder(path)) === "run") return [path];
  const here = await findFolders(path, "run");
  return here.length > 0 ? here : findFolders(join(path, "runs"), "run");
}

function formatRun({ path, manifest, checkpointCount, checkpoints, invalid }: RunDescription): string {
  const names = [...new Set(checkpoints.flatMap((checkpoint) => Object.keys(checkpoint.metrics)))];
  const hasAliases = checkpoints.some(({ aliases }) => aliases.length > 0);
  const columns = [
    leftColumn("checkpoint"),
    rightColumn("epoch"),
    ...names.map(rightColumn),
    rightColumn("size"),
    rightColumn("rank"),
    ...(hasAliases ? [leftColumn("alias")] : []),
    leftColumn("formats"),
  ];
  const rows = checkpoints.map((checkpoint) => [
    checkpoint.id,
    String(checkpoint.epoch),
    ...names.map((name) => {
      const value = checkpoint.metrics[name];
      return value === undefined ? "-" : formatMetric(value);
    }),
    formatBytes(checkpoint.sizeBytes),
    checkpoint.isPick ? "best" : (checkpoint.rank?.toString() ?? "-"),
    ...(hasAliases ? [checkpoint.aliases.join(",") || "-"] : []),
    checkpoint.formats.join(",") || "-",
  ]);
  const state =
    manifest.result === undefined
      ? "not finished"
      : `${manifest.result.reason} at step ${manifest.result.step}, epoch ${manifest.result.epoch}`;
  return (
    `${path}  ${state}, ${formatCount(checkpointCount)} checkpoint(s)\n${formatTable(columns, rows)}` +
    formatOlder(checkpointCount - checkpoints.length) +
    invalid.map(({ id, reason }) => `invalid ${id}: ${reason}\n`).join("")
  );
}

function formatSavedFolder({ path, checkpointCount, checkpoints, missing, invalid }: SavedFolderDescription): string {
  const columns = [
    leftColumn("checkpoint"),
    rightColumn("step"),
    rightColumn("tensors"),
    rightColumn("size"),
    leftColumn("graph"),
  ];
  const rows = checkpoints.map(({ name, step, tensorCount, sizeBytes, metaPath }) => [
    name,
    step?.toString() ?? "-",
    formatCount(tensorCount),
    formatBytes(sizeBytes),
    metaPath === undefined ? "-" : basename(metaPath),
  ]);
  return (
    `${path}  saved by TensorFlow, ${formatCount(checkpointCount)} checkpoint(s)\n${formatTable(columns, rows)}` +
    formatOlder(checkpointCount - checkpoints.length) +
    missing.map((name) => `missing ${name}: listed in the checkpoint file, but there are no files\n`).join("") +
    invalid.map(({ id, reason }) => `invalid ${id}: ${reason}\n`).join("")
  );
}

function formatOlder(count: number): string {
  return count > 0 ? `…and ${formatCount(count)} older; --limit 0 lists all\n` : "";
}
