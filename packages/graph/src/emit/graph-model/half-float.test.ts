import * as tf from "@tensorflow/tfjs";
import { expect, it } from "vitest";

import { toHalfBits } from "./half-float.js";

/** The floats that TensorFlow.js reads half-precision bits as. */
function readHalves(bits: Uint16Array): Float32Array {
  const quantization = { dtype: "float16" as const };
  const spec = { name: "x", shape: [bits.length], dtype: "float32" as const, quantization };
  return tf.io.decodeWeights(bits.slice().buffer, [spec])["x"]?.dataSync() as Float32Array;
}

const allBits = Uint16Array.from({ length: 0x1_00_00 }, (_, index) => index);

it("gives every half-precision float its own bits", () => {
  const floats = readHalves(allBits);
  const isNumber = (_: number, index: number): boolean => !Number.isNaN(floats[index]);
  expect(toHalfBits(floats).filter(isNumber)).toEqual(allBits.filter(isNumber));
  expect(Number.isNaN(readHalves(toHalfBits(Float32Array.of(Number.NaN)))[0])).toBe(true);
});

it("rounds what lies between two of them to the nearest, and from the middle to the even one", () => {
  const finite = readHalves(allBits.subarray(0, 0x7c00));
  for (let bits = 0; bits + 1 < finite.length; bits++) {
    const below = finite[bits] ?? 0;
    const above = finite[bits + 1] ?? 0;
    const middle = (below + above) / 2;
    // A quarter of the way is a float32 as well.
    const found = toHalfBits(Float32Array.of((below + middle) / 2, middle, (middle + above) / 2, -middle));
    const even = bits + (bits & 1);
    expect([...found]).toEqual([bits, even, bits + 1, even | 0x8000]);
  }
  expect([...toHalfBits(Float32Array.of(65519, 65520, -1e30))]).toEqual([0x7bff, 0x7c00, 0xfc00]);
});
