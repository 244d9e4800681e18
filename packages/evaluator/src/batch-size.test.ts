import { describe, expect, it } from "vitest";

import { fixedBatchSize, measureBatchSize } from "./batch-size.js";

/** Sizes tried until one is chosen, on a machine that takes `durationMs` for a batch of so many rows. */
function trySizes(rowBytes: number, durationMs: (rows: number) => number): readonly number[] {
  const sizer = measureBatchSize(rowBytes);
  expect(sizer.enter()).toBe(true);
  const tried: number[] = [];
  while (!sizer.isSettled) {
    tried.push(sizer.rows);
    sizer.record(durationMs(sizer.rows));
  }
  sizer.leave();
  return [...tried, sizer.rows];
}

function thrice(...sizes: readonly number[]): readonly number[] {
  return sizes.flatMap((rows) => [rows, rows, rows]);
}

describe("measureBatchSize", () => {
  it("grows while more rows a batch are more rows a second", () => {
    expect(trySizes(16, (rows) => 1 + rows / 1000)).toEqual([...thrice(32, 64, 128, 256, 512, 1024), 1024]);
  });

  it("goes back to the size before when the next one gains too little", () => {
    expect(trySizes(16, (rows) => rows / 10)).toEqual([...thrice(32, 64), 32]);
    expect(trySizes(16, (rows) => (rows <= 64 ? 6 : rows))).toEqual([...thrice(32, 64), 128, 64]);
  });

  it("stays at a size that takes long, and at one whose inputs are large", () => {
    expect(trySizes(16, (rows) => rows * 100)).toEqual([32, 32]);
    expect(trySizes(4 << 20, () => 5)).toEqual([...thrice(4), 4]);
    expect(trySizes(64 << 20, () => 5)).toEqual([...thrice(1), 1]);
  });

  it("is measured by one at a time, and by the next one when nothing was measured", () => {
    const sizer = measureBatchSize(16);
    expect(sizer.enter()).toBe(true);
    expect(sizer.enter()).toBe(false);
    sizer.leave();
    expect(sizer.isSettled).toBe(false);
    expect(sizer.enter()).toBe(true);
    for (const durationMs of [50, 10, 20]) sizer.record(durationMs);
    sizer.leave();
    expect([sizer.isSettled, sizer.rows, sizer.enter(), sizer.enter()]).toEqual([true, 32, true, true]);
    expect(fixedBatchSize(7)).toMatchObject({ rows: 7, isSettled: true });
  });
});
