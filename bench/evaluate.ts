import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { evaluateArtifacts } from "@ckpt/evaluator";
import { freezeRun } from "@ckpt/freezer";
import type { Split } from "@ckpt/manifest";
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";

import { createDenseModel, smallWidths, trainOnce } from "./dense-model.js";
import { makeDenseSplit } from "./dense-split.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { withTemporaryFolder } from "./temporary-folder.js";
import { chooseByTensorFlow } from "./tensorflow-loop.js";

// How many rows a second are scored when all checkpoints of a run are run over one split, predictions stored and all,
// beside the classic loop in TensorFlow: import_graph_def of each frozen.pb and Session.run, where `pnpm peers` has
// installed it. Then `ckpt evaluate` of one artifact on a few rows as a whole process, which is above its way to the first batch.
// Run: pnpm evaluate [rows] [repeats]

const rowCount = Number(process.argv[2] ?? 10_000);
const repeats = Number(process.argv[3] ?? 5);
const counts = [20, 150] as const;
const [width = 0] = smallWidths;
const classCount = smallWidths.at(-1) ?? 0;
/** Rows beyond these are the same ones again, so that memory is the evaluator's and not the data's. */
const distinctRows = Math.min(rowCount, 10_000);

async function makeArtifacts(run: string, count: number): Promise<readonly string[]> {
  const model = createDenseModel(smallWidths);
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: run, isFresh: true }),
    model,
    save: everySteps(1),
    maxToKeep: count,
  });
  for (let step = 0; step < count; step += 1) {
    await trainOnce(model);
    await checkpointer.step();
    await checkpointer.drain();
  }
  await checkpointer.finish("completed");
  model.dispose();
  return (await freezeRun({ run, formats: ["onnx", "graph-def"] })).map(({ path }) => path);
}

async function compare(folder: string, artifacts: readonly string[], split: Split): Promise<void> {
  const toRate = (ms: number): number => (artifacts.length * rowCount) / ms;
  const [ours, theirs]: [number[], number[]] = [[], []];
  let skipped: string | undefined;
  let peakBytes = 0;
  const onProgress = (): void => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  };
  // The first round starts the threads.
  for (let round = 0; round <= repeats; round += 1) {
    const evaluations = join(folder, `evaluations-${artifacts.length}-${round}`);
    const ms = await measureMs(() => evaluateArtifacts({ artifacts, split, evaluations, onProgress }));
    if (round > 0) ours.push(toRate(ms));
    if (round === 0 || skipped !== undefined) continue;
    const peer = await chooseByTensorFlow(folder, artifacts, split);
    if (typeof peer === "string") skipped = peer;
    else theirs.push(toRate(peer.ms));
  }
  printHeading(`${artifacts.length} checkpoints on ${rowCount} rows, median of ${repeats}`, "thousand rows/s");
  printSamples("evaluateArtifacts, predictions on disk", ours);
  if (skipped === undefined) {
    printSamples("import_graph_def and Session.run", theirs);
    printRatio("  ckpt / TensorFlow", median(ours) / median(theirs), { atLeast: 1.3 });
  } else console.log(`import_graph_def and Session.run ${skipped}`);
  console.log(`resident memory, at most ${(peakBytes / 1e6).toFixed(0)} MB`);
}

async function measureStart(folder: string, artifact: string): Promise<void> {
  const columns = Array.from({ length: width }, (_, index) => `p${index}`);
  const line = (row: number): string => [...columns.map((_, index) => (index * row) % 7), row % classCount].join(",");
  const file = join(folder, "rows.csv");
  await writeFile(
    file,
    [[...columns, "label"].join(","), ...Array.from({ length: 20 }, (_, row) => line(row))].join("\n"),
  );
  const program = join(import.meta.dirname, "../apps/cli/bin/ckpt.js");
  const given = ["evaluate", artifact, "--data", file, "--label", "label", "--classes", String(classCount)];
  const durations: number[] = [];
  for (let round = 0; round < repeats; round += 1) {
    const split = ["validation", "select", "test"][round % 3] ?? "test";
    durations.push(
      await measureMs(() =>
        execFileSync(program, [...given, "--input", `input=/^p/`, "--split", split], {
          stdio: ["ignore", "ignore", "inherit"],
        }),
      ),
    );
  }
  printHeading("ckpt evaluate of one artifact on 20 rows, as it is built", "ms");
  printSamples("the whole process", durations);
  printRatio("  seconds", median(durations) / 1000, { atMost: 1 });
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(async (folder) => {
  const artifacts = await makeArtifacts(join(folder, "run"), Math.max(...counts));
  const pool = Float32Array.from({ length: distinctRows * width }, (_, index) => ((index * 7919) % 1009) / 1009);
  const labels = Int32Array.from({ length: distinctRows }, (_, row) => row % classCount);
  const split = makeDenseSplit(pool, labels, rowCount);
  for (const count of counts) await compare(folder, artifacts.slice(0, count), split);
  await measureStart(folder, artifacts[0] ?? "");
});
process.exit();
