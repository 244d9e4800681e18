import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { artifactPath, checkpointPath, formatStepName, parseStepName } from "./layout.js";

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

it("puts checkpoints and artifacts of a step under the same name", () => {
  expect(checkpointPath("runs/a", 7)).toBe(join("runs/a", "checkpoints", "step-00000007"));
  expect(artifactPath("runs/a", 7)).toBe(join("runs/a", "artifacts", "step-00000007"));
});

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
