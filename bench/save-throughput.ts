import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { createCheckpointer, everySteps, keepLatest, openRun } from "@ckpt/trainer";

import { createDenseModel, largeWidths, trainOnce } from "./dense-model.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import type { SaveMemory } from "./save-memory.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// How fast saves of 25 million parameters with Adam's slots reach the disk, in turn with a plain write and fsync of as many
// bytes to the same folder; and, from save-memory.ts, how much memory they take.
// Run: pnpm save-throughput [repeats]. TMPDIR has to be on a disk: on tmpfs an fsync costs nothing.

const chunkBytes = 8 * 1024 * 1024;
const warmUps = 2;
const repeats = Number(process.argv[2] ?? 15);

interface Rates {
  readonly saveMBps: number;
  readonly plainMBps: number;
}

async function writePlainly(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const chunk = bytes.subarray(start, start + chunkBytes);
      for (let written = 0; written < chunk.length;) {
        written += (await file.write(chunk, written)).bytesWritten;
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Else the disk discards what was removed during the next save: on a disk mounted with `discard` that takes longer than it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function measureRates(folder: string): Promise<readonly Rates[]> {
  const model = createDenseModel(largeWidths);
  const saves: { readonly sizeBytes: number; readonly totalMs: number; readonly blockedMs: number }[] = [];
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: join(folder, "run"), isFresh: true }),
    model,
    save: everySteps(1),
    keep: [keepLatest(1)],
    onSave: (save) => void saves.push(save),
  });
  const measureSave = async (): Promise<number> => {
    await checkpointer.step();
    await checkpointer.drain();
    const save = saves.at(-1);
    if (save === undefined) throw new Error("nothing was saved");
    return save.sizeBytes / (save.totalMs - save.blockedMs) / 1e3;
  };
  let bytes = new Uint8Array();
  const measurePlain = async (): Promise<number> => {
    const path = join(folder, "plain.bin");
    const plainMs = await measureMs(() => writePlainly(path, bytes));
    await rm(path);
    await syncFolder(folder);
    return bytes.length / plainMs / 1e3;
  };
  await trainOnce(model);
  await measureSave();
  bytes = randomFillSync(new Uint8Array(saves.at(-1)?.sizeBytes ?? 0));
  const rounds: Rates[] = [];
  for (let round = 0; round < warmUps + repeats; round += 1) {
    await trainOnce(model);
    // What comes second finds memory that was given back just now, which is faster: each is second in turn.
    const isSaveFirst = round % 2 === 0;
    const first = isSaveFirst ? await measureSave() : await measurePlain();
    const second = isSaveFirst ? await measurePlain() : await measureSave();
    rounds.push(isSaveFirst ? { saveMBps: first, plainMBps: second } : { saveMBps: second, plainMBps: first });
  }
  await checkpointer.finish("completed");
  return rounds.slice(warmUps);
}

/** In a process of its own, where nothing else has used memory before. */
function measureMemory(): SaveMemory {
  const script = join(import.meta.dirname, "save-memory.ts");
  return JSON.parse(execFileSync(process.execPath, [...process.execArgv, script], { encoding: "utf8" })) as SaveMemory;
}

await selectBackend("wasm");
printMachine();
const rates = await withTemporaryFolder(measureRates);
const saveMBps = rates.map((rate) => rate.saveMBps);
const plainMBps = rates.map((rate) => rate.plainMBps);
printHeading(`25 M parameters with Adam's slots, median of ${repeats}`, "MB/s");
printSamples("save in the background, from the copy to the commit", saveMBps);
printSamples("plain write and fsync", plainMBps);
printRatio("save / plain", median(saveMBps) / median(plainMBps), { atLeast: 0.8 });

const { stateBytes, baselineBytes, peakBytes, saveCount } = measureMemory();
console.log(`\nMemory of ${saveCount} saves while training goes on, state ${(stateBytes / 1e6).toFixed(0)} MB`);
console.log(`RSS before ${(baselineBytes / 1e6).toFixed(0)} MB, peak ${(peakBytes / 1e6).toFixed(0)} MB`);
printRatio("(peak - before) / state", (peakBytes - baselineBytes) / stateBytes, { atMost: 2 });
