import { expect, it } from "vitest";

import { createOrderedProgress } from "./ordered-progress.js";
import type { FreezeProgress } from "./progress.js";

const captured = (source: string): FreezeProgress => ({ kind: "captured", source, topologyDigest: "d", nodeCount: 3 });
const corrected = (source: string): FreezeProgress => ({
  kind: "corrected",
  source,
  backend: "cpu",
  reason: "a kernel",
});
const failed = (source: string): FreezeProgress => ({ kind: "failed", source, reason: "r" });

it("tells what is so of a topology once, whoever captured it, and each job in its turn", () => {
  const told: FreezeProgress[] = [];
  const progress = createOrderedProgress((event) => told.push(event));
  for (const index of [1, 0]) {
    progress.report(index, captured(String(index)));
    progress.report(index, corrected(String(index)));
    progress.report(index, failed(String(index)));
    progress.finish(index);
  }
  expect(told).toEqual([captured("0"), corrected("0"), failed("0"), failed("1")]);
});
