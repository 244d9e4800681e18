import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { selectBackend } from "@ckpt/backend";
import { createCheckpointer, everySteps, keepLatest, openRun } from "@ckpt/trainer";

import { countStateBytes, createDenseModel, largeWidths, trainOnce } from "./dense-model.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// Peak memory of saves of 25 million parameters with Adam's slots, above what the process used before: its model was
// trained, but it had no checkpointer yet. Prints one JSON document. Linux only; save-throughput.ts runs it.
// Run: pnpm save-memory

const saveCount = 5;

/** What one process found. */
export interface SaveMemory {
  /** Weights and Adam's slots. */
  readonly stateBytes: number;
  readonly baselineBytes: number;
  readonly peakBytes: number;
  readonly saveCount: number;
}

function readMemoryBytes(field: "VmRSS" | "VmHWM"): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/self/status has no ${field}`);
  return Number(kilobytes) * 1024;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
}

/** Makes the highest resident size so far the present one. */
function resetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}

async function measure(folder: string): Promise<SaveMemory> {
  const model = createDenseModel(largeWidths);
  // The slots are there after the first update; the heap of the backend has its size after a few more.
  for (let step = 0; step < 3; step += 1) await trainOnce(model);
  collectGarbage();
  resetPeak();
  const baselineBytes = readMemoryBytes("VmRSS");
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: join(folder, "run"), isFresh: true }),
    model,
    save: everySteps(1),
    keep: [keepLatest(1)],
  });
  for (let save = 0; save < saveCount; save += 1) {
    await trainOnce(model);
    await checkpointer.step();
  }
  await checkpointer.drain();
  const peakBytes = readMemoryBytes("VmHWM");
  await checkpointer.finish("completed");
  return { stateBytes: countStateBytes(model), baselineBytes, peakBytes, saveCount };
}

await selectBackend("wasm");
console.log(JSON.stringify(await withTemporaryFolder(measure)));
