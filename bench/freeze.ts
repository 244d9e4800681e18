import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { capture, readWeights, type SavedWeight } from "@ckpt/freezer";
import {
  bindWeights,
  captureModel,
  serializeGraphDef,
  emitGraphDef,
  type GraphTemplate,
  type WeightData,
} from "@ckpt/graph";
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";
import type * as tf from "@tensorflow/tfjs";

import { createDenseModel, smallWidths, trainOnce } from "./dense-model.js";
import { measureFirstFreezes } from "./first-freeze.js";
import { measureCpuMs } from "./measure-cpu-ms.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { runPeer } from "./run-peer.js";
import { saveModel } from "./save-model.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// The first freeze of a model of 0.24 million parameters into all formats, verified, from the start of the process; and
// each further checkpoint of its run as a `.pb` alone, beside what TensorFlow takes for that where `pnpm peers` has
// installed it in the folder CKPT_BENCH_VENV.
// Run: npx pnpm@10.34.9 build, then npx pnpm@10.34.9 freeze [repeats]

const repeats = Number(process.argv[2] ?? 20);
const firstRepeats = 10;
const warmUps = 10;

async function saveCheckpoints(model: tf.Sequential, path: string): Promise<readonly string[]> {
  const checkpointer = await createCheckpointer({
    run: await openRun({ path, isFresh: true }),
    model,
    save: everySteps(1),
    maxToKeep: warmUps + repeats,
  });
  for (let step = 0; step < warmUps + repeats; step += 1) {
    await trainOnce(model);
    await checkpointer.step();
    await checkpointer.drain();
  }
  await checkpointer.finish("completed");
  return Array.from({ length: warmUps + repeats }, (_, index) =>
    join(path, "checkpoints", `step-${String(index + 1).padStart(8, "0")}`),
  );
}

/** The weights by the template's keys, as `bindWeights` takes them. */
function nameByKey(template: GraphTemplate, saved: ReadonlyMap<string, SavedWeight>): ReadonlyMap<string, WeightData> {
  return new Map(
    template.weights.map(({ key, dtype, shape, savedName }) => {
      const values = saved.get(savedName)?.values ?? new Float32Array();
      return [key, { dtype, shape, values }];
    }),
  );
}

interface FurtherFreeze {
  /** Weights in memory to bytes in memory. */
  readonly inMemoryMs: number;
  /** A checkpoint on disk to bytes in memory: what TensorFlow's script does, and the checkpoint's digests. */
  readonly fromDiskMs: number;
  /** Weights in memory to an artifact on disk. */
  readonly writeMs: number;
  readonly writeCpuMs: number;
  /** A checkpoint on disk to an artifact on disk. */
  readonly wholeMs: number;
}

async function measureFurther(folder: string): Promise<readonly FurtherFreeze[]> {
  const model = createDenseModel(smallWidths);
  const checkpoints = await saveCheckpoints(model, join(folder, "run"));
  const graph = captureModel(model);
  const template = capture(model);
  const rounds: FurtherFreeze[] = [];
  for (const [round, checkpoint] of checkpoints.entries()) {
    const weights = await readWeights(checkpoint);
    const byKey = nameByKey(graph, weights);
    const inMemoryMs = await measureMs(() => serializeGraphDef(emitGraphDef(bindWeights(graph, byKey))));
    const fromDiskMs = await measureMs(async () =>
      serializeGraphDef(emitGraphDef(bindWeights(graph, nameByKey(graph, await readWeights(checkpoint))))),
    );
    let writeMs = Number.NaN;
    const writeCpuMs = await measureCpuMs(async () => {
      writeMs = await measureMs(() =>
        template.bind(weights).write(join(folder, `bound-${round}`), { formats: ["graph-def"] }),
      );
    });
    const wholeMs = await measureMs(async () =>
      template.bind(await readWeights(checkpoint)).write(join(folder, `whole-${round}`), { formats: ["graph-def"] }),
    );
    rounds.push({ inMemoryMs, fromDiskMs, writeMs, writeCpuMs, wholeMs });
  }
  model.dispose();
  return rounds.slice(warmUps);
}

async function compare(folder: string): Promise<void> {
  await saveModel(createDenseModel(smallWidths), join(folder, "model"));
  const first = measureFirstFreezes(join(folder, "model"), firstRepeats);
  printHeading(`first freeze, all formats, verified, on cpu; median of ${firstRepeats} processes`, "ms");
  const startedToFrozen = first.map(({ frozenMs }) => frozenMs);
  printSamples("process start until frozen", startedToFrozen);
  printSamples(
    "  Node itself",
    first.map(({ bootMs }) => bootMs),
  );
  printSamples(
    "  import of @ckpt/freezer",
    first.map(({ bootMs, importedMs }) => importedMs - bootMs),
  );
  printSamples(
    "  freeze",
    first.map(({ importedMs, frozenMs }) => frozenMs - importedMs),
  );
  printSamples(
    "CPU time of the process",
    first.map(({ cpuMs }) => cpuMs),
  );
  printRatio("process start until frozen", median(startedToFrozen), { atMost: 300 });

  const further = await measureFurther(folder);
  const peerMs = runPeer("tf-freeze.py", [folder, warmUps, repeats, ...smallWidths]);
  printHeading(`each further checkpoint, .pb alone, median of ${repeats}`, "ms");
  const inMemoryMs = further.map((round) => round.inMemoryMs);
  const writeMs = further.map((round) => round.writeMs);
  const wholeMs = further.map((round) => round.wholeMs);
  printSamples("bind, emit and serialise, in memory", inMemoryMs);
  const fromDiskMs = further.map((round) => round.fromDiskMs);
  printSamples("the same from the checkpoint on disk, read and checked", fromDiskMs);
  printSamples("template.bind(weights).write", writeMs);
  printSamples(
    "  its CPU time",
    further.map(({ writeCpuMs }) => writeCpuMs),
  );
  printSamples("an artifact from the checkpoint on disk", wholeMs);
  if (typeof peerMs === "string") console.log(`TensorFlow's restore and freeze ${peerMs}`);
  else printSamples("TensorFlow's restore and freeze", peerMs);
  printRatio("bind, emit and serialise", median(inMemoryMs), { atMost: 5 });
  printRatio("template.bind(weights).write", median(writeMs), { atMost: 5 });
  if (typeof peerMs === "string") return;
  printRatio("TensorFlow / in memory", median(peerMs) / median(inMemoryMs), { atLeast: 10 });
  printRatio("TensorFlow / from the checkpoint on disk", median(peerMs) / median(fromDiskMs), { atLeast: 10 });
  printRatio("TensorFlow / an artifact, compared and flushed", median(peerMs) / median(wholeMs), { atLeast: 10 });
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(compare);
