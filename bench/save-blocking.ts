import { spawnSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { createCheckpointer, everySteps, keepLatest, openRun } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

import { countStateBytes, createDenseModel, largeWidths, smallWidths, trainOnce } from "./dense-model.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
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

/** Topology and weights, optimizer included, in the two files that `tf.loadLayersModel` reads. */
function saveModel(model: tf.Sequential, folder: string): Promise<unknown> {
  const handler = tf.io.withSaveHandler(async ({ weightData, weightSpecs = [], ...artifacts }) => {
    const weights = tf.io.CompositeArrayBuffer.join(weightData);
    const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
    await mkdir(folder);
    await writeFile(join(folder, "model.json"), JSON.stringify({ ...artifacts, weightsManifest }));
    await writeFile(join(folder, "weights.bin"), new Uint8Array(weights));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  });
  return model.save(handler, { includeOptimizer: true });
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

/** Times of TensorFlow's Saver with the same model, or why there are none. */
function measureSaver({ widths, warmUps, repeats }: Subject, folder: string): readonly number[] | string {
  const venv = process.env["CKPT_BENCH_VENV"];
  if (venv === undefined) return "skipped: CKPT_BENCH_VENV is not set";
  const script = join(import.meta.dirname, "peers/tf-saver.py");
  const given = [script, folder, String(warmUps), String(repeats), ...widths.map(String)];
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", CUDA_VISIBLE_DEVICES: "" };
  const { status, stdout, stderr, error } = spawnSync(join(venv, "bin/python"), given, { encoding: "utf8", env });
  if (error !== undefined) return `skipped: ${error.message}`;
  if (status !== 0) throw new Error(`tf-saver.py ended with ${status}\n${stderr}`);
  return JSON.parse(stdout) as readonly number[];
}

async function compare(subject: Subject): Promise<void> {
  const model = createDenseModel(subject.widths);
  const [samples, saverMs] = await withTemporaryFolder(async (folder) => [
    await measureSubject(model, subject, folder),
    measureSaver(subject, folder),
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
