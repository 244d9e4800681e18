import os from "node:os";
import process from "node:process";

import { comparePaired, findConfidenceSet, resampleMeans } from "@ckpt/evaluator";

import { median } from "./median.js";
import { printHeading, printRatio, printSamples } from "./report.js";

// What a ranking asks of the statistics: the paired bootstrap of all candidates, each one's difference from the best with
// its BCa interval, and the model confidence set.
// Times are of the CPU: it is one thread that waits for nothing, and so they are the wall's on a machine that has nothing
// else to do.
// Run: npx pnpm@10.34.9 ranking-statistics [repeats]

const repeats = Number(process.argv[2] ?? 5);
const candidateCount = 20;
const rowCount = 10_000;
const replicateCount = 2000;

/** Losses of a row that is hard or easy for all candidates; a linear congruential generator, so that runs are alike. */
function makeLosses(): readonly Float64Array[] {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const difficulty = Float64Array.from({ length: rowCount }, random);
  return Array.from({ length: candidateCount }, (_, candidate) =>
    difficulty.map((value) => Number(0.8 * value + 0.2 * random() > 0.85 - 0.002 * candidate)),
  );
}

function measureCpuMs(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const losses = makeLosses();
const samples: Record<"bootstrap" | "differences" | "confidence set" | "all", number[]> = {
  bootstrap: [],
  differences: [],
  "confidence set": [],
  all: [],
};
for (let run = 0; run < repeats; run++) {
  let found = resampleMeans(losses, { rowCount }, { replicateCount: 1 });
  const bootstrapMs = measureCpuMs(() => {
    found = resampleMeans(losses, { rowCount }, { replicateCount });
  });
  const differencesMs = measureCpuMs(() => losses.map((_, candidate) => comparePaired(found, candidate, 0)));
  const setMs = measureCpuMs(() => findConfidenceSet(found, { mode: "min" }));
  samples.bootstrap.push(bootstrapMs);
  samples.differences.push(differencesMs);
  samples["confidence set"].push(setMs);
  samples.all.push(bootstrapMs + differencesMs + setMs);
}

console.log(`Node ${process.version}, ${os.type()}, ${os.cpus().length} x ${os.cpus()[0]?.model ?? "unknown CPU"}`);
printHeading(`${candidateCount} candidates, ${rowCount} rows, ${replicateCount} replicates`, "ms of CPU");
for (const [name, times] of Object.entries(samples)) printSamples(name, times);
printRatio("all, in seconds", median(samples.all) / 1000, { atMost: 1 });
