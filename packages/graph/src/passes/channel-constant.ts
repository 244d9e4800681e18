import type { Constant, SymbolicShape } from "../ir/graph.js";

/**
 * The values of a constant that acts on the last axis of a value alone: one for each channel, a single one repeated.
 * `undefined` where it is anything else, or where it would give the value more axes.
 */
export function readChannels(
  constant: Constant | undefined,
  shape: SymbolicShape | undefined,
): Float32Array | undefined {
  const channels = shape?.at(-1);
  if (constant === undefined || shape === undefined || channels === undefined || channels === null) return undefined;
  if (constant.dtype !== "float32" || constant.shape.length > shape.length) return undefined;
  if (constant.values.length === 1) return new Float32Array(channels).fill(constant.values[0] ?? Number.NaN);
  const isPerChannel = constant.shape.at(-1) === channels && constant.values.length === channels;
  return isPerChannel ? Float32Array.from(constant.values) : undefined;
}
