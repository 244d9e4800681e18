import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { digestBytes } from "./digest.js";
import {
  artifactPath,
  checkpointPath,
  compareCheckpointNames,
  formatAverageName,
  formatStepName,
  parseCheckpointName,
  parseStepName,
} from "./layout.js";

describe("formatStepName", () => {
  it("pads to eight digits", () => {
    expect(formatStepName(0)).toBe("step-00000000");
    expect(formatStepName(120)).toBe("step-00000120");
    expect(formatStepName(123_456_789)).toBe("step-123456789");
  });

  it("gives names that sort as their steps do, below 100 million", () => {
    const step = fc.integer({ min: 0, max: 99_999_999 });
    fc.assert(
      fc.property(step, step, (a, b) => {
        expect(Math.sign(a - b)).toBe(compare(formatStepName(a), formatStepName(b)));
      }),
    );
  });

  it.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53])("refuses %s", (step) => {
    expect(() => formatStepName(step)).toThrow(TypeError);
  });
});

describe("parseStepName", () => {
  it("reverses formatStepName", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (step) => {
        expect(parseStepName(formatStepName(step))).toBe(step);
      }),
    );
    expect(parseStepName(formatStepName(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    "",
    "step-",
    "step-120",
    "step-0000120",
    "step-000000120",
    "step-00000120\n",
    "step-00000120/x",
    " step-00000120",
    "step-0000012a",
    "step-٠٠٠٠٠١٢٠",
    "step--0000120",
    "step-9007199254740992",
    ".step-00000120.staging-7",
    "Step-00000120",
  ])("says that %j is no step folder", (name) => {
    expect(parseStepName(name)).toBeUndefined();
  });
});

describe("formatAverageName", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => digestBytes(name));
  const parents = [
    { step: 8, digest: a ?? "" },
    { step: 120, digest: b ?? "" },
    { step: 9, digest: c ?? "" },
  ];

  it("names the newest parent's step and digests the parents by step, in whatever order they come", () => {
    const digest = digestBytes(`${a}\n${c}\n${b}`).slice(0, 8);
    expect(formatAverageName(parents)).toBe(`average-00000120-${digest}`);
    expect(formatAverageName(parents.toReversed())).toBe(formatAverageName(parents));
  });

  it("gives other parents and another treatment another name", () => {
    const names = [formatAverageName(parents), formatAverageName(parents.slice(1)), formatAverageName(parents, "bn")];
    expect(new Set(names).size).toBe(3);
  });

  it("refuses no parents", () => {
    expect(() => formatAverageName([])).toThrow(TypeError);
  });
});

describe("parseCheckpointName", () => {
  it("tells averages from trained checkpoints", () => {
    expect(parseCheckpointName("step-00000120")).toEqual({ step: 120, isAverage: false });
    expect(parseCheckpointName("average-00000120-0123abcd")).toEqual({ step: 120, isAverage: true });
    expect(parseCheckpointName("average-123456789-0123abcd")).toEqual({ step: 123_456_789, isAverage: true });
  });

  it.each([
    "average-00000120",
    "average-120-0123abcd",
    "average-000000120-0123abcd",
    "average-00000120-0123ABCD",
    "average-00000120-0123abcde",
    ".average-00000120-0123abcd.staging-7",
    "notes.txt",
  ])("says that %j is no checkpoint", (name) => {
    expect(parseCheckpointName(name)).toBeUndefined();
  });

  it("does not make an average a step to resume from", () => {
    expect(parseStepName("average-00000120-0123abcd")).toBeUndefined();
  });
});

it("lists by step, averages after the trained checkpoint of their step, and other names last", () => {
  const ordered = [
    "step-00000008",
    "step-00000120",
    "average-00000120-00000000",
    "average-00000120-ffffffff",
    "step-00000121",
    "step-123456789",
    "apples",
    "zebras",
  ];
  expect(ordered.toReversed().toSorted(compareCheckpointNames)).toEqual(ordered);
});

it("puts checkpoints and artifacts of a step under the same name", () => {
  expect(checkpointPath("runs/a", 7)).toBe(join("runs/a", "checkpoints", "step-00000007"));
  expect(artifactPath("runs/a", formatStepName(7))).toBe(join("runs/a", "artifacts", "step-00000007"));
});

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
