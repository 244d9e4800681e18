import type { Split, TensorSpec } from "@ckpt/manifest";

import { countValues } from "./task.js";

const mostRows = 16_384;
const mostOutputBytes = 2 << 20;
const mostInputBytes = 64 << 20;
const bytesPerValue = 4;

/**
 * Rows of a shard, the unit in which an evaluation is divided among processes and resumed: as many as have 64 MB of
 * inputs or 2 MB of predictions, and 16,384 at most. Wide inputs mostly mean a slow model, so a shard takes seconds, not
 * minutes. It follows from the specs alone: all processes divide alike.
 */
export function countShardRows(split: Split, output: TensorSpec): number {
  const outputBytes = countValues(output) * bytesPerValue;
  return Math.max(
    1,
    Math.min(mostRows, Math.floor(mostOutputBytes / outputBytes), Math.floor(mostInputBytes / countRowBytes(split))),
  );
}

/** Bytes of all inputs of one row. */
export function countRowBytes(split: Split): number {
  return Math.max(
    1,
    split.inputs.reduce((sum, spec) => sum + countValues(spec) * bytesPerValue, 0),
  );
}
