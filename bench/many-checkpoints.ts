import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";

import { createDenseModel, trainOnce } from "./dense-model.js";
import { measureMs } from "./measure-ms.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// Whether a save and `ckpt ls` cost the same in a run of 10,000 checkpoints as in one of 10. The last saves of the long run
// are made in turn with the saves 5 to 15 of fresh runs.
// Run: pnpm many-checkpoints [checkpoints]. The runs stand below TMPDIR and are removed at the end.

const manyCount = Number(process.argv[2] ?? 10_000);
const fewCount = 10;
const rounds = 5;
const skippedCount = 4;
const savesOfRound = 11;

interface SaveCost {
  /** Around `step`. */
  readonly stepMs: number;
  /** Until the save was on disk. */
  readonly totalMs: number;
}

/** A run of a tiny model that gets one more checkpoint at a time. */
interface GrowingRun {
  /** Adds checkpoints, each after the one before is on disk. */
  grow(count: number): Promise<readonly SaveCost[]>;
  finish(): Promise<void>;
}

async function openGrowingRun(path: string): Promise<GrowingRun> {
  const model = createDenseModel([4, 2]);
  const totals: number[] = [];
  const checkpointer = await createCheckpointer({
    run: await openRun({ path, isFresh: true }),
    model,
    save: everySteps(1),
    maxToKeep: 2 * manyCount,
    onSave: ({ totalMs }) => void totals.push(totalMs),
  });
  const save = async (): Promise<SaveCost> => {
    await trainOnce(model);
    const stepMs = await measureMs(() => checkpointer.step());
    await checkpointer.drain();
    return { stepMs, totalMs: totals.at(-1) ?? Number.NaN };
  };
  return {
    grow: async (count) => {
      const costs: SaveCost[] = [];
      while (costs.length < count) costs.push(await save());
      return costs;
    },
    finish: async () => {
      await checkpointer.finish("completed");
      model.dispose();
    },
  };
}

/** `ckpt ls` as a whole process. */
function listCheckpoints(run: string): void {
  const program = join(import.meta.dirname, "../scripts/ckpt.sh");
  execFileSync(program, ["ls", run], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Samples of one thing in a short run and in the long one, and their ratio. */
function printGrowth(name: string, short: readonly number[], long: readonly number[]): void {
  printSamples(`${name}, short run`, short);
  printSamples(`${name}, long run`, long);
  printRatio("  long / short", median(long) / median(short), { atMost: 2 });
}

async function measure(folder: string): Promise<void> {
  const [few, many] = [join(folder, "few"), join(folder, "many")];
  const fewRun = await openGrowingRun(few);
  await fewRun.grow(fewCount);
  await fewRun.finish();

  const [early, late]: [SaveCost[], SaveCost[]] = [[], []];
  const manyRun = await openGrowingRun(many);
  await manyRun.grow(manyCount - rounds * savesOfRound);
  for (let round = 0; round < rounds; round += 1) {
    const fresh = await openGrowingRun(join(folder, `fresh-${round}`));
    await fresh.grow(skippedCount);
    early.push(...(await fresh.grow(savesOfRound)));
    await fresh.finish();
    late.push(...(await manyRun.grow(savesOfRound)));
  }
  await manyRun.finish();

  const [fewMs, manyMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    fewMs.push(await measureMs(() => listCheckpoints(few)));
    manyMs.push(await measureMs(() => listCheckpoints(many)));
  }

  const shortSaves = `saves ${skippedCount + 1} to ${skippedCount + savesOfRound} of ${rounds} runs`;
  const longSaves = `the last ${rounds * savesOfRound} of ${manyCount}`;
  printHeading(`${shortSaves}, against ${longSaves}`, "ms");
  printGrowth(
    "step",
    early.map(({ stepMs }) => stepMs),
    late.map(({ stepMs }) => stepMs),
  );
  printGrowth(
    "until on disk",
    early.map(({ totalMs }) => totalMs),
    late.map(({ totalMs }) => totalMs),
  );
  printHeading(`ckpt ls of ${fewCount} checkpoints, against ${manyCount}`, "ms");
  printGrowth("ckpt ls", fewMs, manyMs);
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(measure);
