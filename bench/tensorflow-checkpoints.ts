import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";

import { smallWidths } from "./dense-model.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// A folder of checkpoints that TensorFlow 1's Saver wrote, of a model of 0.24 million parameters with Adam's slots: freeze
// all, score all on 10,000 rows, choose the best. ckpt beside the classic script, each a process of its own from its start to
// its end; each has to choose the same checkpoint. TensorFlow is where `pnpm peers` has installed it, in the folder
// CKPT_BENCH_VENV; without it there are no checkpoints to measure on.
// Run: pnpm tensorflow-checkpoints [checkpoints...]

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [20, 150];
const rowCount = 10_000;

/** What a process that chooses says. */
interface Choice {
  /** Of the checkpoint or its artifact: ends in its step. */
  readonly name: string;
  readonly accuracy: number;
  readonly importMs: number;
  readonly freezeMs: readonly number[];
  readonly evaluateMs: readonly number[];
}

interface TimedChoice extends Choice {
  readonly wholeMs: number;
}

function run(program: string, given: readonly string[]): { readonly stdout: string; readonly wholeMs: number } {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", CUDA_VISIBLE_DEVICES: "" };
  const startMs = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, given, { encoding: "utf8", env });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${given.join(" ")} ended with ${status}\n${stderr}`);
  return { stdout, wholeMs: performance.now() - startMs };
}

function choose(program: string, given: readonly string[]): TimedChoice {
  const { stdout, wholeMs } = run(program, given);
  return { ...(JSON.parse(stdout) as Choice), wholeMs };
}

const stepOf = ({ name }: Choice): number => Number(/\d+$/.exec(name)?.[0]);

async function compare(venv: string, count: number): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const python = join(venv, "bin/python");
    const peer = join(import.meta.dirname, "peers/tf-checkpoints.py");
    run(python, [peer, "save", folder, String(count), String(rowCount), ...smallWidths.map(String)]);
    const own = (...formats: readonly string[]): TimedChoice => {
      const register = join(import.meta.dirname, "../scripts/register-typescript.mjs");
      const options = ["--conditions=@ckpt/source", "--import", register];
      return choose(process.execPath, [
        ...options,
        join(import.meta.dirname, "choose-checkpoint.ts"),
        folder,
        ...formats,
      ]);
    };
    const theirs = choose(python, [peer, "choose", folder]);
    const { freezeMs: pbMs } = own("graph-def");
    await rm(join(folder, "artifacts"), { recursive: true });
    const ours = own("graph-def", "onnx");
    if (stepOf(ours) !== stepOf(theirs)) throw new Error(`chose ${ours.name}, TensorFlow ${theirs.name}`);

    printHeading(`${count} checkpoints, ${rowCount} rows; both chose step ${stepOf(ours)}`, "ms");
    printSamples("TensorFlow: freeze into a .pb", theirs.freezeMs);
    printSamples("ckpt: the same, compared, hashed and flushed", pbMs.slice(1));
    printSamples("  the first one, which captures the graph", pbMs.slice(0, 1));
    printRatio("  TensorFlow / ckpt", median(theirs.freezeMs) / median(pbMs.slice(1)), { atLeast: 10 });
    printSamples("TensorFlow: score one", theirs.evaluateMs);
    printSamples("ckpt: score one of all at once, predictions kept", ours.evaluateMs);
    printSamples("TensorFlow: the whole", [theirs.wholeMs]);
    printSamples("ckpt: the whole, into a .pb and ONNX", [ours.wholeMs]);
    printRatio("  ckpt / TensorFlow", ours.wholeMs / theirs.wholeMs, { atMost: 1 });
  });
}

const venv = process.env["CKPT_BENCH_VENV"];
await selectBackend("wasm");
printMachine();
if (venv === undefined) console.log("skipped: CKPT_BENCH_VENV is not set");
else for (const count of counts) await compare(venv, count);
