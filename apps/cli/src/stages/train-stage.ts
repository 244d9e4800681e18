import { selectBackend } from "@ckpt/backend";
import { CkptError } from "@ckpt/manifest";
import { train, type TrainOutcome, type TrainProgress } from "@ckpt/trainer";

import type { CommandContext } from "../command-context.js";
import { type LoadedConfig, relateConfig, resolveRun } from "../load-config.js";
import type { Splits } from "../load-splits.js";
import type { Progress } from "../progress.js";
import { formatMetric } from "../table.js";

/** What to do about a run that is there already, as it is typed. */
export interface TrainChoice {
  readonly resume: boolean;
  readonly fresh: boolean;
}

/**
 * Trains what a configuration describes, and says on stderr what was measured and saved.
 *
 * @throws {CkptError} INVALID_OPTION when the choice contradicts itself, and what `train` throws.
 */
export async function trainStage(
  loaded: LoadedConfig,
  splits: Splits,
  { resume: isResuming, fresh: isFresh }: TrainChoice,
  { progress, signal }: CommandContext,
): Promise<TrainOutcome> {
  if (isResuming && isFresh) {
    throw new CkptError("INVALID_OPTION", { option: "--fresh", expected: "not together with --resume", found: "both" });
  }
  const { config } = loaded;
  const run = resolveRun(loaded);
  const backend = await selectBackend(config.backend);
  const rejected = backend.tried.map(({ name, reason }) => ` ${name}: ${reason}`).join("");
  progress.done(`backend   ${backend.name}. ${backend.reason}${rejected}`);
  const outcome = await train({
    ...config.train,
    run,
    name: config.name,
    config: relateConfig(loaded, run),
    seed: config.seed ?? 0,
    model: config.model,
    data: { train: splits.get("train"), validation: splits.get("validation") },
    isResuming,
    isFresh,
    signal,
    onProgress: (event) => reportTraining(event, progress),
  });
  // A run that goes on reports them when it starts.
  if (outcome.isAlreadyComplete) warnOfSkipped(outcome.skipped, progress);
  progress.done(`train     ${describeOutcome(run, outcome)}`);
  if (outcome.checkpoints.length === 0) {
    progress.warn(`train     no checkpoint was saved: "${config.train.save.description}" never held`);
  }
  return outcome;
}

/** What came of the training, in one line. */
export function describeOutcome(run: string, outcome: TrainOutcome): string {
  const state = outcome.isAlreadyComplete ? "was complete already" : outcome.reason;
  const kept = `${outcome.checkpoints.length} checkpoint(s) kept`;
  const resumed = outcome.resumedFrom === undefined ? "" : `, resumed from step ${outcome.resumedFrom}`;
  const cause = outcome.cause === undefined ? "" : ` (${outcome.cause})`;
  const restored = outcome.restoredStep === undefined ? "" : `, weights of step ${outcome.restoredStep} put back`;
  return `${run}: ${state} at step ${outcome.step}, epoch ${outcome.epoch}${cause}, ${kept}${resumed}${restored}`;
}

function reportTraining(event: TrainProgress, progress: Progress): void {
  const position = `step ${event.step}/${event.totalSteps}`;
  switch (event.kind) {
    case "start":
      warnOfSkipped(event.skipped, progress);
      return;
    case "step":
      progress.update(`train     ${position} loss ${formatMetric(event.loss)}`);
      return;
    case "measure":
      progress.update(`train     ${position} ${formatMetrics(event.metrics)}`);
      return;
    case "save": {
      const { metrics, manifest } = event.checkpoint;
      progress.done(`save      ${position} ${formatMetrics(metrics)}  ${manifest.reason}`);
      return;
    }
    default:
      throw new TypeError(`unknown progress ${JSON.stringify(event satisfies never)}`);
  }
}

function warnOfSkipped(skipped: TrainOutcome["skipped"], progress: Progress): void {
  for (const { path, reason } of skipped) progress.warn(`train     left out ${path}: ${reason.message}`);
}

function formatMetrics(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(value)}`)
    .join(" ");
}
