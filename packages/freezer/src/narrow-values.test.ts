import { describe, expect, it } from "vitest";

import { cutBlock, narrowValues } from "./narrow-values.js";

describe("narrowValues", () => {
  it("makes floats of all sizes float32", () => {
    const values = Float64Array.of(0.1, -1e30, Number.POSITIVE_INFINITY);
    expect(narrowValues({ dtype: "float64", shape: [3], values }, "x")).toEqual({
      dtype: "float32",
      shape: [3],
      values: Float32Array.from(values),
    });
    // 1, -2, 2^-24, 65504, infinity by their bits.
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00);
    expect(narrowValues({ dtype: "float16", shape: [5], values: halves }, "x").values).toEqual(
      Float32Array.of(1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY),
    );
    const brains = Uint16Array.of(0x3f80, 0xc000, 0xff80);
    expect(narrowValues({ dtype: "bfloat16", shape: [3], values: brains }, "x").values).toEqual(
      Float32Array.of(1, -2, Number.NEGATIVE_INFINITY),
    );
  });

  it("makes integers of all sizes int32, and keeps flags", () => {
    const values = BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n);
    expect(narrowValues({ dtype: "int64", shape: [2], values }, "x")).toEqual({
      dtype: "int32",
      shape: [2],
      values: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
    });
    expect(narrowValues({ dtype: "uint8", shape: [1], values: Uint8Array.of(255) }, "x").values).toEqual(
      Int32Array.of(255),
    );
    expect(narrowValues({ dtype: "bool", shape: [1], values: Uint8Array.of(1) }, "x").dtype).toBe("bool");
  });

  it.each([
    [{ dtype: "int64", shape: [1], values: BigInt64Array.of(2n ** 31n) }, "int64 beyond int32"],
    [{ dtype: "uint64", shape: [1], values: BigUint64Array.of(2n ** 63n) }, "uint64 beyond int32"],
    [{ dtype: "uint32", shape: [1], values: Uint32Array.of(2 ** 32 - 1) }, "uint32 beyond int32"],
    [{ dtype: "float64", shape: [1], values: Float64Array.of(1e300) }, "float64 beyond float32"],
    [{ dtype: "complex64", shape: [1], values: Float32Array.of(1, 2) }, "complex64"],
    [{ dtype: "string", shape: [], values: [] }, "string"],
  ] as const)("refuses what does not fit: %o", (tensor, dtype) => {
    expect(() => narrowValues(tensor, "checkpoint: variable x")).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_DTYPE", details: expect.objectContaining({ dtype }) }),
    );
  });
});

describe("cutBlock", () => {
  const tensor = { dtype: "int32", shape: [3, 4, 2], values: Int32Array.from({ length: 24 }, (_, at) => at) } as const;

  it.each([
    [[0, 0, 0], [3, 4, 2], Array.from({ length: 24 }, (_, at) => at)],
    [[1, 0, 0], [2, 4, 2], Array.from({ length: 16 }, (_, at) => at + 8)],
    [
      [0, 1, 0],
      [3, 2, 2],
      [2, 3, 4, 5, 10, 11, 12, 13, 18, 19, 20, 21],
    ],
    [
      [1, 2, 1],
      [2, 2, 1],
      [13, 15, 21, 23],
    ],
    [[0, 0, 0], [0, 4, 2], []],
  ])("takes the block that starts at %o and is %o", (starts, sizes, values) => {
    expect(cutBlock(tensor, starts, sizes)).toEqual({ dtype: "int32", shape: sizes, values: Int32Array.from(values) });
  });
});
