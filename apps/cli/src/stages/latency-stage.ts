import { type EngineChoice, type LatencyMeasurement, measureLatency, writeLatencies } from "@ckpt/evaluator";
import type { Split } from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import { formatBytes } from "../table.js";

/** What to measure. */
export interface LatencyRequest {
  /** Artifact folders. */
  readonly artifacts: readonly string[];
  /** Where the figures are kept, in the place of those before. */
  readonly evaluations: string;
  readonly split: Split;
  readonly engine?: EngineChoice;
}

/** Measures what artifacts cost, one of each architecture, and says it on stderr. */
export async function latencyStage(
  { artifacts, evaluations, split, engine }: LatencyRequest,
  { progress, signal }: CommandContext,
): Promise<readonly LatencyMeasurement[]> {
  progress.update("latency   measuring");
  const measurements = await measureLatency({ artifacts, split, ...(engine === undefined ? {} : { engine }) });
  signal.throwIfAborted();
  await writeLatencies(evaluations, measurements);
  for (const measurement of measurements) progress.done(`latency   ${describeLatency(measurement)}`);
  return measurements;
}

function describeLatency({ artifacts, engine, p50Ms, p95Ms, p99Ms, loadMs, ...sizes }: LatencyMeasurement): string {
  const [first = "", ...others] = artifacts;
  const who = others.length === 0 ? first : `${first} and ${others.length} of the same architecture`;
  const times = `p50 ${formatMs(p50Ms)}, p95 ${formatMs(p95Ms)}, p99 ${formatMs(p99Ms)}, load ${formatMs(loadMs)}`;
  return `${who}  ${times}, rss ${formatBytes(sizes.peakRssBytes)}  (${engine.name})`;
}

function formatMs(ms: number): string {
  return `${ms.toPrecision(3)} ms`;
}
