import type { Quantization } from "@ckpt/manifest";

import { toHalfBits } from "./half-float.js";

/** How the values of a weight are stored, as TensorFlow.js' weights manifest says it. */
export type GraphModelQuantization =
  | { dtype: "uint8" | "uint16"; scale: number; min: number; original_dtype: "float32" }
  | { dtype: "float16"; original_dtype: "float32" };

/** Values in their stored form. */
export interface QuantizedValues {
  readonly values: Uint8Array | Uint16Array;
  readonly quantization: GraphModelQuantization;
}

/** The largest finite value of a half-precision float. */
const largestHalf = 65504;

/**
 * Stores float32 values in fewer bits. `u8` and `u16` are whole numbers `q` that stand for `q * scale + min`, which is
 * how `tf.io.decodeWeights` reads them; where the values lie on both sides of zero, zero stays exactly zero. `f16` is
 * rounded to nearest, ties to even.
 *
 * Gives `undefined` for values that the form cannot hold: not finite, all equal (a scale of 0), or for `f16` too large.
 */
export function quantizeValues(values: Float32Array, as: Exclude<Quantization, "none">): QuantizedValues | undefined {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) return undefined;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  if (as === "f16") {
    if (Math.max(highest, -lowest) > largestHalf) return undefined;
    return { values: toHalfBits(values), quantization: { dtype: "float16", original_dtype: "float32" } };
  }
  if (!(highest > lowest)) return undefined;
  const steps = as === "u8" ? 0xff : 0xffff;
  const scale = (highest - lowest) / steps;
  const isAcrossZero = lowest < 0 && highest > 0;
  const min = isAcrossZero ? -Math.round(-lowest / scale) * scale : lowest;
  const stored = as === "u8" ? new Uint8Array(values.length) : new Uint16Array(values.length);
  for (let at = 0; at < values.length; at++) {
    stored[at] = Math.min(steps, Math.max(0, Math.round(((values[at] ?? 0) - min) / scale)));
  }
  const dtype = as === "u8" ? "uint8" : "uint16";
  return { values: stored, quantization: { dtype, scale, min, original_dtype: "float32" } };
}
