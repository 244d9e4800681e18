import { compareMetric, type Metrics, type MetricMode } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { findBest, findBestFew } from "./find-best.js";
import { createRandom } from "./random.js";

interface Candidate {
  readonly step: number;
  readonly metrics: Metrics;
}

/** Values with ties, gaps and what is not finite. */
function makeCandidates(seed: number, count: number): readonly Candidate[] {
  const random = createRandom(seed, "candidates");
  const odd = [Number.NaN, Infinity, -Infinity, undefined];
  return Array.from({ length: count }, (_, step) => {
    const value = random.next() < 0.2 ? odd[Math.floor(random.next() * odd.length)] : Math.floor(random.next() * 20);
    return { step, metrics: value === undefined ? {} : { score: value } };
  });
}

describe.each<MetricMode>(["min", "max"])("findBestFew, %s", (mode) => {
  const monitor = { monitor: "score", mode };
  it.each([1, 2, 5, 40, 1000])("gives what sorting gives, for a k of %s", (k) => {
    for (let seed = 0; seed < 30; seed++) {
      const candidates = makeCandidates(seed, seed * 3);
      const value = ({ metrics }: Candidate): number => metrics["score"] ?? Number.NaN;
      const sorted = candidates
        .filter((candidate) => Number.isFinite(value(candidate)))
        .toSorted((a, b) => compareMetric(value(a), value(b), mode));
      expect(findBestFew(candidates, k, monitor)).toEqual(sorted.slice(0, k));
      expect(findBest(candidates, monitor)).toBe(sorted[0]);
    }
  });
});
