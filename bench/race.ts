import { basename, join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { computeMetrics, evaluateArtifacts, raceArtifacts, rankArtifacts } from "@ckpt/evaluator";
import { freezeRun } from "@ckpt/freezer";
import type { Split } from "@ckpt/manifest";
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

import { createDenseModel, smallWidths, trainOnce } from "./dense-model.js";
import { makeDenseSplit } from "./dense-split.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { withTemporaryFolder } from "./temporary-folder.js";
import { chooseByTensorFlow } from "./tensorflow-loop.js";

// How long it takes to choose the best of spread-out checkpoints, predictions of the survivors on disk and all: by a race
// and a full evaluation of those it leaves, beside the full evaluation of all, and beside the classic loop in TensorFlow.
// Each has to choose the same one.
// Run: pnpm race [rows] [repeats] [checkpoints]

const rowCount = Number(process.argv[2] ?? 10_000);
const repeats = Number(process.argv[3] ?? 5);
const count = Number(process.argv[4] ?? 20);
const [width = 0] = smallWidths;
const distinctRows = Math.min(rowCount, 10_000);
/** Share of the labels that are another class than the model says that labels the rows. */
const wrongShare = 0.03;
/** Noise in the weights of the best checkpoint, and what each other one has more. */
const [leastNoise, moreNoise] = [0.05, 0.04];

/** Checkpoints with more and more noise in their weights, in an order that says nothing, and rows labelled without. */
async function makeCandidates(run: string): Promise<{ readonly artifacts: readonly string[]; readonly split: Split }> {
  const model = createDenseModel(smallWidths);
  const pool = Float32Array.from({ length: distinctRows * width }, () => Math.random() - 0.5);
  const scores = model.predict(tf.tensor2d(pool, [distinctRows, width]), { batchSize: 1000 }) as tf.Tensor;
  const labels = Int32Array.from(scores.argMax(-1).dataSync(), (label) =>
    Math.random() < wrongShare ? Math.floor(Math.random() * (smallWidths.at(-1) ?? 0)) : label,
  );
  const teacher = model.getWeights().map((weight) => weight.clone());
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: run, isFresh: true }),
    model,
    save: everySteps(1),
    maxToKeep: count,
  });
  for (let step = 0; step < count; step += 1) {
    await trainOnce(model);
    const noise = leastNoise + moreNoise * ((step * 7 + 3) % count);
    model.setWeights(
      teacher.map((weight) => weight.add(tf.randomNormal(weight.shape, 0, noise * deviationOf(weight)))),
    );
    await checkpointer.step();
    await checkpointer.drain();
  }
  await checkpointer.finish("completed");
  const artifacts = (await freezeRun({ run, formats: ["onnx", "graph-def"] })).map(({ path }) => path);
  return { artifacts, split: makeDenseSplit(pool, labels, rowCount) };
}

function deviationOf(weight: tf.Tensor): number {
  return Math.sqrt(tf.moments(weight).variance.dataSync()[0] ?? 0);
}

interface Choice {
  readonly ms: number;
  readonly pick: string;
}

async function choose(
  artifacts: readonly string[],
  split: Split,
  evaluations: string,
  isRacing: boolean,
): Promise<Choice> {
  let pick = "";
  const ms = await measureMs(async () => {
    const left = isRacing ? (await raceArtifacts({ artifacts, split, evaluations })).artifacts : artifacts;
    const outcomes = await evaluateArtifacts({ artifacts: left, split, evaluations });
    for (const outcome of outcomes) {
      if ("failure" in outcome) throw outcome.failure;
      await computeMetrics(outcome.evaluation.path, ["accuracy"]);
    }
    const ranking = await rankArtifacts({ artifacts, evaluations, split: split.digest, metrics: ["accuracy"] });
    pick = ranking.pick?.id ?? "";
  });
  return { ms, pick };
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(async (folder) => {
  const { artifacts, split } = await makeCandidates(join(folder, "run"));
  const [raced, full, theirs]: [number[], number[], number[]] = [[], [], []];
  const picks = new Set<string>();
  let skipped: string | undefined;
  // The first round starts the threads.
  for (let round = 0; round <= repeats; round += 1) {
    const byRace = await choose(artifacts, split, join(folder, `raced-${round}`), true);
    const byAll = await choose(artifacts, split, join(folder, `full-${round}`), false);
    picks.add(byRace.pick).add(byAll.pick);
    if (round === 0) continue;
    raced.push(byRace.ms);
    full.push(byAll.ms);
    const peer = skipped === undefined ? await chooseByTensorFlow(folder, artifacts, split) : skipped;
    if (typeof peer === "string") skipped = peer;
    else {
      theirs.push(peer.ms);
      picks.add(basename(artifacts[peer.best] ?? ""));
    }
  }
  if (picks.size !== 1) throw new Error(`chose ${[...picks].join(" and ")}`);
  const { race, artifacts: left } = await raceArtifacts({ artifacts, split, evaluations: join(folder, "last") });
  const seen = race?.candidates.map(({ rowsSeen }) => rowsSeen) ?? [];
  const rows = seen.reduce((sum, own) => sum + own, 0) + left.length * rowCount;
  printHeading(`the best of ${count} on ${rowCount} rows, median of ${repeats}; all chose ${[...picks].join()}`, "ms");
  printSamples("race, then the survivors on all rows", raced);
  printSamples("all of them on all rows", full);
  console.log(
    `${left.length} left by the race; ${((100 * rows) / (count * rowCount)).toFixed(1)} % of the rows scored`,
  );
  printRatio("  all of them / race", median(full) / median(raced), { atLeast: 5 });
  if (skipped === undefined) {
    printSamples("import_graph_def, Session.run, argmax", theirs);
    printRatio("  TensorFlow / race", median(theirs) / median(raced), { atLeast: 5 });
  } else console.log(`TensorFlow ${skipped}`);
});
process.exit();
