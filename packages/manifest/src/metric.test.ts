import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareMetric, type MetricMode, restoreMetrics, storedMetricsSchema, storeMetrics } from "./metric.js";

const value = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0, 1, 1 + Number.EPSILON));
const mode = fc.constantFrom<MetricMode>("min", "max");

describe("compareMetric", () => {
  it("is a total order: antisymmetric, transitive, and equal only for equal values", () => {
    fc.assert(
      fc.property(value, value, value, mode, (a, b, c, mode) => {
        const ab = Math.sign(compareMetric(a, b, mode));
        const bc = Math.sign(compareMetric(b, c, mode));
        const ac = Math.sign(compareMetric(a, c, mode));
        expect(ab).toBe(0 - Math.sign(compareMetric(b, a, mode)));
        if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
        if (ab === 0 && bc === 0) expect(ac).toBe(0);
        expect(ab === 0).toBe(a === b || (Number.isNaN(a) && Number.isNaN(b)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("orders the two modes in reverse, but for NaN", () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        fc.pre(!Number.isNaN(a) && !Number.isNaN(b));
        expect(compareMetric(a, b, "min")).toBe(0 - compareMetric(a, b, "max"));
      }),
    );
  });

  it.each<[MetricMode, readonly number[]]>([
    ["min", [-Infinity, -1, 0, 0.5, Infinity, Number.NaN]],
    ["max", [Infinity, 0.5, 0, -1, -Infinity, Number.NaN]],
  ])("puts the better first and NaN last for mode %s", (mode, expected) => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...expected], { minLength: expected.length }), (shuffled) => {
        expect(shuffled.toSorted((a, b) => compareMetric(a, b, mode))).toEqual(expected);
      }),
    );
  });
});

describe("storeMetrics", () => {
  it("gives what JSON can carry and restoreMetrics reads back", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), (metrics) => {
        const stored: unknown = JSON.parse(JSON.stringify(storeMetrics(metrics)));
        const restored = restoreMetrics(storedMetricsSchema.parse(stored));
        // JSON has no -0, and zod drops a key `__proto__`.
        const expected = Object.entries(metrics).filter(([name]) => name !== "__proto__");
        expect(Object.entries(restored)).toEqual(expected.map(([name, value]) => [name, value === 0 ? 0 : value]));
      }),
    );
  });

  it.each(["nan", "1", "", null, true, [1]])("the schema refuses %j as a value", (value) => {
    expect(storedMetricsSchema.safeParse({ loss: value }).success).toBe(false);
  });
});
