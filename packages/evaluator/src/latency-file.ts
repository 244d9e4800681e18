import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { type FileSystem, nodeFileSystem, replaceFile } from "@ckpt/manifest";

import type { LatencyMeasurement } from "./measure-latency.js";

/** In the folder of evaluations; as the name begins with a dot, no reader takes it for one. It is this machine's alone. */
const latencyFile = ".latency.json";

/**
 * Keeps measurements beside the evaluations, in the place of those before.
 *
 * @throws {CkptError} FILE_SYSTEM.
 */
export async function writeLatencies(
  evaluations: string,
  measurements: readonly LatencyMeasurement[],
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  await fileSystem.makeFolder(evaluations);
  await replaceFile(join(evaluations, latencyFile), `${JSON.stringify(measurements, null, 2)}\n`, fileSystem);
}

/** The measurements that were kept; none when nothing was measured. They are no evidence: a damaged file counts as none. */
export async function readLatencies(evaluations: string): Promise<readonly LatencyMeasurement[]> {
  try {
    return JSON.parse(await readFile(join(evaluations, latencyFile), "utf8")) as LatencyMeasurement[];
  } catch {
    return [];
  }
}
