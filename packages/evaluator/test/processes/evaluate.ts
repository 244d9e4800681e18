import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Worker } from "node:worker_threads";

import { isCkptError, type Split } from "@ckpt/manifest";

import { evaluateArtifacts } from "../../src/evaluate-artifacts.js";
import { makeClassSplit } from "../make-split.js";

/**
 * Evaluates the artifacts named, on one thread, and prints one line for each: its digest, or what failed. `delay` is how
 * long reading a batch takes; `hang` a row from which on none is read any more; `reads` a file that gets a line with the first row and the one after the last of each
 * batch; `kill` an artifact: after each of its batches all threads of the engine die, of `once` after the first only.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    evaluations: { type: "string", default: "" },
    rows: { type: "string", default: "" },
    delay: { type: "string", default: "0" },
    hang: { type: "string" },
    reads: { type: "string" },
    await: { type: "string" },
    kill: { type: "string" },
  },
});

const workers = new Set<Worker>();
process.on("worker", (worker) => {
  workers.add(worker);
  worker.once("exit", () => workers.delete(worker));
});
let killCount = 0;
const killWorkers = (): void => {
  killCount++;
  // Its handler of messages throws, as any defect would; a thread terminated within a native call aborts the process.
  for (const worker of workers) worker.postMessage(null);
};

const whole = makeClassSplit(Number(values.rows));
const split: Split = {
  ...whole,
  read: async (start, end) => {
    if (values.reads !== undefined) appendFileSync(values.reads, `${start} ${end}\n`);
    while (values.await !== undefined && !existsSync(values.await)) await sleep(5);
    const isHanging = values.hang !== undefined && start >= Number(values.hang);
    await sleep(isHanging ? 3_600_000 : Number(values.delay));
    return whole.read(start, end);
  },
};
try {
  const outcomes = await evaluateArtifacts({
    artifacts: positionals,
    split,
    evaluations: values.evaluations,
    batchSize: 256,
    workers: 1,
    onProgress: ({ artifact }) => {
      if (artifact === values.kill || (values.kill === "once" && killCount === 0)) killWorkers();
    },
  });
  for (const outcome of outcomes) {
    console.log("failure" in outcome ? outcome.failure.message : outcome.evaluation.manifest.digest);
  }
} catch (error) {
  if (!isCkptError(error, "FILE_SYSTEM")) throw error;
  console.log(`FILE_SYSTEM ${(error.cause as NodeJS.ErrnoException).code}`);
}
