import { describe, expect, it } from "vitest";

import { createSplit } from "./create-split.js";
import { createMemoryRows } from "./memory-rows.js";

const values = Float32Array.from({ length: 20 }, (_, index) => index);
const split = await createSplit({
  role: "select",
  rowCount: 5,
  inputs: [
    { spec: { name: "image", dtype: "float32", shape: [null, 2, 2] }, rows: createMemoryRows(values, 4) },
    { spec: { name: "count", dtype: "int32", shape: [null] }, rows: createMemoryRows(Int32Array.of(9, 8, 7, 6, 5), 1) },
  ],
  labels: { values: Int32Array.of(0, 1, 2, 0, 1) },
  classes: ["a", "b", "c"],
});

describe("read", () => {
  it("gives the rows from start up to end as views", async () => {
    const batch = await split.read(1, 3);
    expect(batch).toEqual({
      rowCount: 2,
      inputs: {
        image: { data: Float32Array.of(4, 5, 6, 7, 8, 9, 10, 11), shape: [2, 2, 2] },
        count: { data: Int32Array.of(8, 7), shape: [2] },
      },
      labels: { data: Int32Array.of(1, 2), shape: [2] },
    });
    expect(batch.inputs["image"]?.data.buffer).toBe(values.buffer);
    expect((await split.read(5, 5)).rowCount).toBe(0);
  });

  it.each([
    [-1, 2],
    [3, 2],
    [0, 6],
    [0.5, 2],
    [0, NaN],
  ])("refuses rows %d to %d", async (start, end) => {
    await expect(split.read(start, end)).rejects.toThrow(RangeError);
  });
});

describe("gather", () => {
  it("copies the rows in the order asked for, also repeatedly", async () => {
    const batch = await split.gather([4, 0, 4]);
    expect(batch).toEqual({
      rowCount: 3,
      inputs: {
        image: { data: Float32Array.of(16, 17, 18, 19, 0, 1, 2, 3, 16, 17, 18, 19), shape: [3, 2, 2] },
        count: { data: Int32Array.of(5, 9, 5), shape: [3] },
      },
      labels: { data: Int32Array.of(1, 0, 1), shape: [3] },
    });
    expect(batch.inputs["image"]?.data.buffer).not.toBe(values.buffer);
    expect((await split.gather(Int32Array.of(2))).labels.data).toEqual(Int32Array.of(2));
  });

  it.each([-1, 5, 1.5, NaN])("refuses row %d", async (index) => {
    await expect(split.gather([0, index])).rejects.toThrow(RangeError);
  });
});

it("has the documented digest", async () => {
  // sha256sum of the canonical JSON line and the little-endian bytes, made apart from this code.
  const small = await createSplit({
    role: "test",
    rowCount: 1,
    inputs: [
      { spec: { name: "x", dtype: "float32", shape: [null, 1] }, rows: createMemoryRows(Float32Array.of(1), 1) },
    ],
    labels: { values: Int32Array.of(2) },
    classes: ["a", "b", "c"],
  });
  expect(small.digest).toBe("de1b2d0d2d7160a038b16fa54ca95992a5376e627abb0a7dccfba231dafa0ba4");
});
