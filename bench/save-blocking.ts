import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { createCheckpointer, everySteps, keepLatest, openRun } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

import { countStateBytes, createDenseModel, largeWidths, smallWidths, trainOnce } from "./dense-model.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { runPeer } from "./run-peer.js";
import { saveModel } from "./save-model.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// How long one save keeps a training loop waiting, beside what a user would write with tfjs's model.save, one memcpy of
// the state, and TensorFlow's Saver where `pnpm peers` has installed it in the folder CKPT_BENCH_VENV. Weights and Adam's
// slots, on the backend wasm, one update before every save; the save before has ended by then.
// Run: pnpm save-blocking [repeats with the small model] [repeats with the large one]

interface Subject {
  readonly widths: readonly number[];
  readonly warmUps: number;
  readonly repeats: number;
}

interface Samples {
  readonly stepMs: readonly number[];
  /** As the checkpointer tells them: how long it kept the loop waiting, and until the save was on disk. */
  readonly blockedMs: readonly number[];
  readonly totalMs: readonly number[];
  readonly modelSaveMs: readonly number[];
  readonly memcpyMs: readonly number[];
}

async function measureSubject(model: tf.Sequential, { warmUps, repeats }: Subject, folder: string): Promise<Samples> {
  const saves: { readonly blockedMs: number; readonly totalMs: number }[] = [];
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: join(folder, "run"), isFresh: true }),
    model,
    save: everySteps(1),
    keep: [keepLatest(1)],
    onSave: (save) => void saves.push(save),
  });
  const source = new Uint8Array(countStateBytes(model)).fill(1);
  const target = new Uint8Array(new SharedArrayBuffer(source.length)).fill(1);
  const modelFolder = join(folder, "model");
  const rounds: { readonly stepMs: number; readonly modelSaveMs: number; readonly memcpyMs: number }[] = [];
  for (let round = 0; round < warmUps + repeats; round += 1) {
    await trainOnce(model);
    const stepMs = await measureMs(() => checkpointer.step());
    await checkpointer.drain();
    const modelSaveMs = await measureMs(() => saveModel(model, modelFolder));
    // What is not on disk yet is not to be written during the next save.
    await rm(modelFolder, { recursive: true });
    const memcpyMs = await measureMs(() => target.set(source));
    rounds.push({ stepMs, modelSaveMs, memcpyMs });
  }
  await checkpointer.finish("completed");
  const counted = rounds.slice(warmUps);
  const countedSaves = saves.slice(warmUps);
  return {
    stepMs: counted.map(({ stepMs }) => stepMs),
    blockedMs: countedSaves.map(({ blockedMs }) => blockedMs),
    totalMs: countedSaves.map(({ totalMs }) => totalMs),
    modelSaveMs: counted.map(({ modelSaveMs }) => modelSaveMs),
    memcpyMs: counted.map(({ memcpyMs }) => memcpyMs),
  };
}

async function compare(subject: Subject): Promise<void> {
  const model = createDenseModel(subject.widths);
  const [samples, saverMs] = await withTemporaryFolder(async (folder) => [
    await measureSubject(model, subject, folder),
    runPeer("tf-saver.py", [folder, subject.warmUps, subject.repeats, ...subject.widths]),
  ]);
  const parameters = `${(model.countParams() / 1e6).toFixed(2)} M parameters with Adam's slots`;
  const size = `${(countStateBytes(model) / 1e6).toFixed(1)} MB`;
  printHeading(`${parameters}, ${size}, median of ${subject.repeats}`, "ms");
  printSamples("checkpointer.step", samples.stepMs);
  printSamples("  blocked, by its own account", samples.blockedMs);
  printSamples("  until on disk, in the background", samples.totalMs);
  printSamples("tfjs model.save", samples.modelSaveMs);
  if (typeof saverMs === "string") console.log(`tf.compat.v1.train.Saver.save ${saverMs}`);
  else printSamples("tf.compat.v1.train.Saver.save", saverMs);
  printSamples("one memcpy of the state", samples.memcpyMs);
  const stepMs = median(samples.stepMs);
  if (subject.widths === largeWidths) {
    printRatio("step / memcpy", stepMs / median(samples.memcpyMs), { atMost: 2 });
  } else {
    printRatio("step / model.save", stepMs / median(samples.modelSaveMs), { atMost: 0.2 });
    if (typeof saverMs !== "string") printRatio("step / Saver.save", stepMs / median(saverMs), { atMost: 0.2 });
  }
  model.dispose();
}

await selectBackend("wasm");
printMachine();
await compare({ widths: smallWidths, warmUps: 5, repeats: Number(process.argv[2] ?? 20) });
await compare({ widths: largeWidths, warmUps: 2, repeats: Number(process.argv[3] ?? 7) });
