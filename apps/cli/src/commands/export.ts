import { CkptError } from "@ckpt/manifest";
import { type Checkpoint, listCheckpoints, readCheckpoint } from "@ckpt/trainer";

import type { CommandContext } from "../command-context.js";
import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { exportBundle, type ExportedCheckpoint } from "../export-bundle.js";
import { type EvaluationExport, exportEvaluation } from "../export-evaluation.js";
import { identifyFolder } from "../identify-folder.js";
import { formatTable, leftColumn, rightColumn } from "../table.js";

interface Arguments {
  readonly source: string;
  readonly to: "tf-checkpoint" | EvaluationExport;
  readonly out: string;
  readonly split: string | undefined;
  readonly dataset: string | undefined;
  readonly gate: string | undefined;
}

/** `ckpt export`: checkpoints, or what an evaluation found, in a format that another tool goes on with. */
export const exportCommand: Command<Arguments> = {
  usage: "export <source>",
  summary: "Write checkpoints with their optimizer state, or the results of an evaluation, for another tool",
  examples: [
    ["export runs/dense --to tf-checkpoint --out save", "every checkpoint of a run, for TensorFlow in Python"],
    ["export runs/dense/checkpoints/step-00000120 --to tf-checkpoint --out save", "one of them"],
    ["export runs/dense --to predictions --split test --out predictions.parquet", "what the pick said of every row"],
    ["export runs/dense --to eval-results --dataset org/digits --out eval_results.yaml", "for a model's page"],
    ["export runs/dense --to in-toto --gate ckpt.gate.json --out result.json", "a Test Result statement, unsigned"],
  ],
  options: (parser) =>
    parser
      .positional("source", { type: "string", demandOption: true, describe: "A run, a checkpoint or an artifact" })
      .option("to", {
        choices: ["tf-checkpoint", "eval-results", "in-toto", "predictions"] as const,
        demandOption: true,
        requiresArg: true,
        describe: "tf-checkpoint: what tf.train.load_checkpoint and a v1 Saver read; the others are of an evaluation",
      })
      .option("out", {
        type: "string",
        demandOption: true,
        requiresArg: true,
        describe:
          "Folder for the checkpoints and the file that lists them; else the file, of predictions .csv or .parquet",
      })
      .option("split", {
        type: "string",
        requiresArg: true,
        describe: "Split of the evaluation; default: test, or what the gate's file says",
      })
      .option("dataset", { type: "string", requiresArg: true, describe: "Id on the Hub, of eval-results" })
      .option("gate", { type: "string", requiresArg: true, describe: "File of what was to be shown, of in-toto" }),
  run: async ({ source, to, out, ...options }, context) => {
    if (to !== "tf-checkpoint") return exportEvaluation({ source, to, out, ...options });
    const checkpoints = await findCheckpoints(source, context);
    const exported: ExportedCheckpoint[] = [];
    for (const [index, checkpoint] of checkpoints.entries()) {
      context.signal.throwIfAborted();
      const written = await exportBundle(checkpoint, out);
      context.progress.done(`export    ${index + 1}/${checkpoints.length} ${written.prefix}`);
      exported.push(written);
    }
    const columns = [leftColumn("checkpoint"), rightColumn("step"), rightColumn("tensors"), leftColumn("source")];
    const rows = exported.map(({ prefix, step, tensorCount, source }) => [
      prefix,
      String(step),
      String(tensorCount),
      source,
    ]);
    return { document: { out, checkpoints: exported }, text: formatTable(columns, rows), exitCode: exitCodes.ok };
  },
};

async function findCheckpoints(source: string, { progress }: CommandContext): Promise<readonly Checkpoint[]> {
  const kind = await identifyFolder(source);
  if (kind === "checkpoint") return [await readCheckpoint(source)];
  if (kind !== "run") throw new CkptError("RUN_NOT_FOUND", { path: source });
  const { checkpoints, skipped } = await listCheckpoints(source);
  for (const { path, reason } of skipped) progress.warn(`export    left out ${path}: ${reason.message}`);
  if (checkpoints.length > 0) return checkpoints;
  const reasons = skipped.map(({ path, reason }) => `${path}: ${reason.message}`);
  throw new CkptError("CHECKPOINT_NOT_FOUND", { path: source, skipped: reasons });
}
