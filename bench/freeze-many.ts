import { execFileSync } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

import { createDenseModel, largeWidths } from "./dense-model.js";
import { measureCpuMs } from "./measure-cpu-ms.js";
import { measureMs } from "./measure-ms.js";
import { printHeading, printMachine, printRatio } from "./report.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// A run of checkpoints of 25 million parameters, 100 MB each, frozen into `.pb` files, verified, in one thread: whether memory
// grows with their number, and how long it takes beside a plain copy of the weights, each read, written and flushed.
// Run: npx pnpm@10.34.9 build, then npx pnpm@10.34.9 freeze-many [checkpoints]. The disk has to hold each of them twice.

const count = Number(process.argv[2] ?? 20);

/** What the process that froze them says of itself. */
interface FrozenRun {
  readonly freezeMs: number;
  readonly cpuMs: number;
  readonly baselineBytes: number;
  /** After each checkpoint. */
  readonly residentBytes: readonly number[];
  readonly peakBytes: number;
}

/** Saves a model again and again, each time with other weights. */
async function saveCheckpoints(path: string): Promise<{ readonly weightBytes: number }> {
  const model = createDenseModel(largeWidths);
  model.compile({ optimizer: "sgd", loss: "categoricalCrossentropy" });
  const checkpointer = await createCheckpointer({
    run: await openRun({ path, isFresh: true }),
    model,
    save: everySteps(1),
    maxToKeep: count,
  });
  for (let step = 0; step < count; step += 1) {
    for (const layer of model.layers) {
      const changed = tf.tidy(() => layer.getWeights().map((weight) => tf.keep(weight.mul(1.001))));
      layer.setWeights(changed);
      tf.dispose(changed);
    }
    await checkpointer.step();
    await checkpointer.drain();
  }
  await checkpointer.finish("completed");
  const weightBytes = model.countParams() * Float32Array.BYTES_PER_ELEMENT;
  model.dispose();
  return { weightBytes };
}

async function copyPlainly(run: string, folder: string): Promise<void> {
  for (let step = 1; step <= count; step += 1) {
    const bytes = await readFile(join(run, "checkpoints", `step-${String(step).padStart(8, "0")}`, "weights.bin"));
    // One name for all: the file before is gone, so that the disk holds one copy only.
    const file = await open(join(folder, "copy.bin"), "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function compare(folder: string): Promise<void> {
  const run = join(folder, "run");
  const { weightBytes } = await saveCheckpoints(run);
  const program = join(import.meta.dirname, "programs/freeze-run.mjs");
  const output = execFileSync(process.execPath, [program, run], { encoding: "utf8", stdio: "pipe" });
  const { freezeMs, cpuMs, baselineBytes, residentBytes, peakBytes } = JSON.parse(output) as FrozenRun;
  let copyMs = Number.NaN;
  const copyCpuMs = await measureCpuMs(async () => {
    copyMs = await measureMs(() => copyPlainly(run, folder));
  });
  const quarter = Math.ceil(count / 4);
  const highest = (values: readonly number[]): number => Math.max(...values) / weightBytes;
  console.log(`\n${count} checkpoints of ${(weightBytes / 1e6).toFixed(0)} MB, .pb alone, verified`);
  console.log(`freeze: ${(freezeMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of CPU`);
  console.log(`plain copy: ${(copyMs / 1000).toFixed(1)} s, ${(copyCpuMs / 1000).toFixed(1)} s of CPU`);
  console.log(
    `freeze / copy: ${(freezeMs / copyMs).toFixed(1)}; a checkpoint takes ${(freezeMs / count).toFixed(0)} ms`,
  );
  printHeading("resident memory after each checkpoint, and its peak", "copies of the weights");
  console.log(`before ${(baselineBytes / weightBytes).toFixed(2)}, peak ${(peakBytes / weightBytes).toFixed(2)}`);
  // The first ones warm up: memory that is freed is not given back at once.
  const [early, late] = [residentBytes.slice(quarter, 2 * quarter), residentBytes.slice(-quarter)].map(highest);
  printRatio("the last quarter / the second", (late ?? Number.NaN) / (early ?? Number.NaN), { atMost: 1.1 });
  printRatio("peak above before", (peakBytes - baselineBytes) / weightBytes, { atMost: 4 });
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(compare);
