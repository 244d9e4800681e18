import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { quantizeValues } from "./quantize-values.js";

/** What TensorFlow.js makes of the stored form. */
function restore(values: Float32Array, as: "u8" | "u16" | "f16"): Float32Array {
  const stored = quantizeValues(values, as);
  if (stored === undefined) throw new Error("not quantized");
  const spec = { name: "x", shape: [values.length], dtype: "float32" as const, quantization: stored.quantization };
  return tf.io.decodeWeights(stored.values.slice().buffer, [spec])["x"]?.dataSync() as Float32Array;
}

function largestError(values: Float32Array, as: "u8" | "u16" | "f16"): number {
  const restored = restore(values, as);
  return values.reduce((largest, value, at) => Math.max(largest, Math.abs(value - (restored[at] ?? Number.NaN))), 0);
}

const spread = Float32Array.from({ length: 1001 }, (_, at) => Math.sin(at) * 3 + 0.5);

describe("quantizeValues", () => {
  it("is at most a step off in whole numbers, and 16 bits beat a half-precision float", () => {
    const range = Math.max(...spread) - Math.min(...spread);
    expect(largestError(spread, "u8")).toBeLessThanOrEqual(range / 255);
    expect(largestError(spread, "u16")).toBeLessThanOrEqual(range / 65535);
    expect(largestError(spread, "f16")).toBeLessThanOrEqual(4 / 2048);
    expect(largestError(spread, "u16")).toBeLessThan(largestError(spread, "f16") / 4);
  });

  it("keeps zero zero where there are values on both sides of it", () => {
    for (const as of ["u8", "u16"] as const) {
      const restored = restore(Float32Array.of(-0.3, 0, 0.7001, 0), as);
      expect([restored[1], restored[3]]).toEqual([0, 0]);
    }
  });

  it("keeps the ends of values on one side of zero", () => {
    for (const as of ["u8", "u16"] as const) {
      expect(largestError(Float32Array.of(5, 6), as)).toBeLessThan(1e-6);
      expect(largestError(Float32Array.of(-6, -5), as)).toBeLessThan(1e-6);
    }
  });

  it("leaves alone what a form cannot hold", () => {
    for (const as of ["u8", "u16"] as const) {
      expect(quantizeValues(Float32Array.of(0.1, 0.1, 0.1), as)).toBeUndefined();
      expect(quantizeValues(Float32Array.of(0, Number.NaN), as)).toBeUndefined();
      expect(quantizeValues(Float32Array.of(0, Number.NEGATIVE_INFINITY), as)).toBeUndefined();
    }
    expect(quantizeValues(Float32Array.of(0, Number.POSITIVE_INFINITY), "f16")).toBeUndefined();
    expect(quantizeValues(Float32Array.of(0, -65505), "f16")).toBeUndefined();
    expect(largestError(Float32Array.of(0.5, 0.5), "f16")).toBe(0);
  });
});
