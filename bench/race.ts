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
const classCount = smallWidths.at(-1) ?? 0;
const [rowsSeed, labelsSeed] = [1001, 1002];
const distinctRows = Math.min(rowCount, 10_000);
/** Share of the labels that are another class than the model says that labels the rows. */
const wrongShare = 0.03;
/** Noise in the weights of the best checkpoint, and what each other one has more. */
const [leastNoise, moreNoise] = [0.1, 0.1];

/** Checkpoints with more and more of the same noise in their weights, in an order that says nothing, and rows labelled without. */
async function makeCandidates(run: string): Promise<{ readonly artifacts: readonly string[]; readonly split: Split }> {
  const model = createDenseModel(smallWidths);
  const teacher = model.getWeights().map(({ shape }, index) => drawNormal(shape, index, 1 / Math.sqrt(shape[0] ?? 1)));
  model.setWeights(teacher);
  const rows = tf.randomUniform([distinctRows, width], -0.5, 0.5, "float32", rowsSeed);
  const scores = model.predict(rows, { batchSize: 1000 }) as tf.Tensor;
  const chance = tf.randomUniform([distinctRows], 0, 1, "float32", labelsSeed).dataSync();
  const labels = Int32Array.from(scores.argMax(-1).dataSync(), (label, row) =>
    (chance[row] ?? 1) < wrongShare ? (label + 1) % classCount : label,
  );
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
      teacher.map((weight, index) =>
        weight.add(drawNormal(weight.shape, teacher.length + index, noise / Math.sqrt(weight.shape[0] ?? 1))),
      ),
    );
    await checkpointer.step();
    await checkpointer.drain();
  }
  await checkpointer.finish("completed");
  const artifacts = (await freezeRun({ run, formats: ["onnx", "graph-def"] })).map(({ path }) => path);
  return { artifacts, split: makeDenseSplit(rows.dataSync() as Float32Array, labels, rowCount) };
}

/** The same for the same seed. */
function drawNormal(shape: number[], seed: number, deviation: number): tf.Tensor {
  return tf.randomNormal(shape, 0, deviation, "float32", seed + 1);
}

interface Choice {
  /** Until the best is known by its accuracy, as in the loop of TensorFlow. */
  readonly pickMs: number;
  /** Of the ranking after that: what is tied with it, and intervals. */
  readonly rankMs: number;
  readonly pick: string;
  /** Of those that were scored on all rows. */
  readonly accuracies: readonly number[];
}

async function choose(
  artifacts: readonly string[],
  split: Split,
  evaluations: string,
  isRacing: boolean,
): Promise<Choice> {
  const accuracies: number[] = [];
  let pick = "";
  const pickMs = await measureMs(async () => {
    const left = isRacing ? (await raceArtifacts({ artifacts, split, evaluations })).artifacts : artifacts;
    for (const outcome of await evaluateArtifacts({ artifacts: left, split, evaluations })) {
      if ("failure" in outcome) throw outcome.failure;
      const { metrics } = await computeMetrics(outcome.evaluation.path, ["accuracy"]);
      const accuracy = metrics["accuracy"]?.value ?? 0;
      if (accuracy > Math.max(0, ...accuracies)) pick = basename(outcome.artifact);
      accuracies.push(accuracy);
    }
  });
  const rankMs = await measureMs(() =>
    rankArtifacts({ artifacts, evaluations, split: split.digest, metrics: ["accuracy"] }),
  );
  return { pickMs, rankMs, pick, accuracies: accuracies.toSorted((a, b) => b - a) };
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(async (folder) => {
  const { artifacts, split } = await makeCandidates(join(folder, "run"));
  const [raced, full, theirs]: [Choice[], Choice[], number[]] = [[], [], []];
  const picks = new Set<string>();
  let skipped: string | undefined;
  // The first round starts the threads.
  for (let round = 0; round <= repeats; round += 1) {
    const byRace = await choose(artifacts, split, join(folder, `raced-${round}`), true);
    const byAll = await choose(artifacts, split, join(folder, `full-${round}`), false);
    picks.add(byRace.pick).add(byAll.pick);
    if (round === 0) continue;
    raced.push(byRace);
    full.push(byAll);
    const peer = skipped ?? (await chooseByTensorFlow(folder, artifacts, split));
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
  const [best = 0, second = 0] = full[0]?.accuracies ?? [];
  const [racedMs, fullMs] = [raced, full].map((choices) => choices.map(({ pickMs }) => pickMs)) as [number[], number[]];
  printHeading(`the best of ${count} on ${rowCount} rows, median of ${repeats}; all chose ${[...picks].join()}`, "ms");
  console.log(
    `accuracy ${best.toFixed(3)}, ${second.toFixed(3)} down to ${full[0]?.accuracies.at(-1)?.toFixed(3)}; ` +
      `${left.length} left by the race, ${((100 * rows) / (count * rowCount)).toFixed(1)} % of the rows scored`,
  );
  printSamples("race, then the survivors on all rows", racedMs);
  printSamples(
    "  and the ranking",
    raced.map(({ rankMs }) => rankMs),
  );
  printSamples("all of them on all rows", fullMs);
  printSamples(
    "  and the ranking",
    full.map(({ rankMs }) => rankMs),
  );
  printRatio("  all of them / race", median(fullMs) / median(racedMs), { atLeast: 5 });
  if (skipped === undefined) {
    printSamples("import_graph_def, Session.run, argmax", theirs);
    printRatio("  TensorFlow / race", median(theirs) / median(racedMs), { atLeast: 5 });
  } else console.log(`TensorFlow ${skipped}`);
});
process.exit();
