import { createCheckpointer, everySteps, openRun, watchSignals } from "../src/index.js";
import { createModel, data, toTensors } from "./fixture.js";

/**
 * A loop as a user writes it, which a signal ends with its state saved: `signal-child.ts <run> <step to hold at> <steps>`.
 * At the step to hold at it waits for a signal, with `hang` for one that never comes through.
 */
const [path = "", holdAt = "", lastStep = "", hang = ""] = process.argv.slice(2);

const watch = watchSignals((signal) => process.stdout.write(`${signal}\n`));
const run = await openRun({ path, isResuming: true });
const model = createModel("sgd");
// The same weights in every process: what differs afterwards comes from training.
if (run.resumePoint === undefined) {
  model.setWeights(model.getWeights().map((weight) => weight.zerosLike().add(0.5)));
}
(model.getLayer("drop") as unknown as { rate: number }).rate = 0;
const checkpointer = await createCheckpointer({ run, model, save: everySteps(100), signal: watch.signal });
const { x, y } = await toTensors(data.train);
while (checkpointer.position.step < Number(lastStep) && checkpointer.stopping === undefined) {
  const [loss = Number.NaN] = (await model.trainOnBatch(x, y)) as number[];
  await checkpointer.step({ loss });
  if (checkpointer.position.step !== Number(holdAt)) continue;
  process.stdout.write("held\n");
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => undefined, 1000);
    const release = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (hang === "") watch.signal.addEventListener("abort", release);
  });
}
await checkpointer.finish();
process.exitCode = watch.exitCode() ?? 0;
watch.stop();
