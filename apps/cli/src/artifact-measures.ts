import { type LatencyMeasurement, parseConstraint, readLatencies } from "@ckpt/evaluator";

/** What an artifact costs on this machine: `p50`, `p95`, `p99` and `load` in milliseconds, `rss` in bytes. */
export type Measures = Readonly<Record<string, number>>;

/** Whether a bound is on what has to be measured: `p95<=5ms` is, and `bytes<=2MB`, which every artifact says, is not. */
export function isMeasured(bound: string): boolean {
  const { measure, unit } = parseConstraint(bound);
  return unit !== "none" && measure !== "bytes";
}

/** What was measured last of artifacts, by their ids; nothing of those that were not. */
export async function readMeasures(evaluations: string): Promise<Readonly<Record<string, Measures>>> {
  return Object.fromEntries(
    (await readLatencies(evaluations)).flatMap((measurement) =>
      measurement.artifacts.map((id) => [id, toMeasures(measurement)] as const),
    ),
  );
}

function toMeasures({ p50Ms, p95Ms, p99Ms, loadMs, peakRssBytes }: LatencyMeasurement): Measures {
  return { p50: p50Ms, p95: p95Ms, p99: p99Ms, load: loadMs, rss: peakRssBytes };
}
