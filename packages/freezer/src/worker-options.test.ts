import { describe, expect, it } from "vitest";

import type { FreezeJob } from "./job-freezer.js";
import { chooseWorkerCount, isWorthWorkers } from "./worker-options.js";

const gibibyte = 2 ** 30;

function createJobs(count: number, sizeBytes: number): FreezeJob[] {
  return Array.from({ length: count }, (_, step) => ({
    source: {
      kind: "checkpoint",
      path: `${step}`,
      digest: "",
      step,
      files: [{ path: "weights.bin", sizeBytes, sha256: "" }],
    },
    out: "",
  }));
}

describe("chooseWorkerCount", () => {
  it.each([
    ["cores", 100, 1e6, { coreCount: 4, freeBytes: 64 * gibibyte }, 4],
    ["jobs", 3, 1e6, { coreCount: 8, freeBytes: 64 * gibibyte }, 3],
    ["memory", 100, gibibyte, { coreCount: 8, freeBytes: 60 * gibibyte }, 2],
    ["nothing below one", 100, gibibyte, { coreCount: 8, freeBytes: gibibyte }, 1],
  ])("is bounded by %s", (_name, jobCount, sizeBytes, machine, expected) => {
    expect(chooseWorkerCount(createJobs(jobCount, sizeBytes), machine)).toBe(expected);
  });
});

describe("isWorthWorkers", () => {
  it("takes starting them into account", () => {
    expect(isWorthWorkers(20, 100)).toBe(false);
    expect(isWorthWorkers(200, 100)).toBe(true);
    expect(isWorthWorkers(200, 5)).toBe(false);
  });
});
