import { CkptError } from "@ckpt/manifest";
import { type Checkpoint, listCheckpoints, readCheckpoint } from "@ckpt/trainer";

import type { CommandContext } from "../command-context.js";
import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { exportBundle, type ExportedCheckpoint } from "../export-bundle.js";
import { identifyFolder } from "../identify-folder.js";
import { formatTable, leftColumn, rightColumn } from "../table.js";

interface Arguments {
  readonly source: string;
  readonly to: "tf-checkpoint";
  readonly out: string;
}

/** `ckpt export`: checkpoints in a format that another framework goes on with. */
export const exportCommand: Command<Arguments> = {
  usage: "export <source>",
  summary: "Write checkpoints, optimizer state included, for another framework",
  examples: [
    ["export runs/dense --to tf-checkpoint --out save", "every checkpoint of a run, for TensorFlow in Python"],
    ["export runs/dense/checkpoints/step-00000120 --to tf-checkpoint --out save", "one of them"],
  ],
  options: (parser) =>
    parser
      .positional("source", { type: "string", demandOption: true, describe: "A run or a checkpoint folder" })
      .option("to", {
        choices: ["tf-checkpoint"] as const,
        demandOption: true,
        requiresArg: true,
        describe: "What tf.train.load_checkpoint and a v1 Saver read",
      })
      .option("out", {
        type: "string",
        demandOption: true,
        requiresArg: true,
        describe: "Folder for the checkpoints and the file that lists them",
      }),
  run: async ({ source, out }, context) => {
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
