import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { freezeRun } from "@ckpt/freezer";
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";
import { DuckDBInstance } from "@duckdb/node-api";

import { createDenseModel, smallWidths, trainOnce } from "./dense-model.js";
import { measureMs } from "./measure-ms.js";
import { printMachine, printRatio } from "./report.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// Peak memory of `ckpt evaluate --data` as a whole process on Parquet files of 784 float32 columns, by rows and by artifacts:
// on a quarter of the rows, on all of them, and on a quarter by several artifacts. The values are random, so that no
// dictionary makes the file's pages small. Linux only. Threads keep a session each, so their number is part of the figure.
// Run: npx pnpm@10.34.9 build, then npx pnpm@10.34.9 evaluate-memory [rows] [artifacts]. The disk has to hold 8 bytes a value.

const rowCount = Number(process.argv[2] ?? 1_000_000);
const artifactCount = Number(process.argv[3] ?? 20);
const [width = 0] = smallWidths;
const classCount = smallWidths.at(-1) ?? 0;
const targetBytes = 600e6;

interface Measured {
  readonly peakBytes: number;
  readonly seconds: number;
}

async function makeArtifacts(run: string): Promise<readonly string[]> {
  const model = createDenseModel(smallWidths);
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: run, isFresh: true }),
    model,
    save: everySteps(1),
    maxToKeep: artifactCount,
  });
  for (let step = 0; step < artifactCount; step += 1) {
    await trainOnce(model);
    await checkpointer.step();
    await checkpointer.drain();
  }
  await checkpointer.finish("completed");
  model.dispose();
  return (await freezeRun({ run, formats: ["onnx"] })).map(({ path }) => path);
}

async function writeRows(path: string, count: number): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const columns = Array.from({ length: width }, (_, index) => `random()::FLOAT AS p${index}`);
  const query = `SELECT ${columns.join(", ")}, (i % ${classCount})::INTEGER AS label FROM range(${count}) AS rows(i)`;
  await connection.run(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

/** Of a process that still runs. */
function readPeakBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

async function evaluate(target: string, data: string): Promise<Measured> {
  const program = join(import.meta.dirname, "../apps/cli/bin/ckpt.js");
  const given = [
    "--data",
    data,
    "--input",
    "input=/^p/",
    "--label",
    "label",
    "--classes",
    String(classCount),
    "--quiet",
  ];
  let peakBytes = 0;
  const milliseconds = await measureMs(async () => {
    const child = spawn(process.execPath, [program, "evaluate", target, ...given], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, readPeakBytes(child.pid ?? 0) ?? 0);
    }, 50);
    const [code] = (await once(child, "close")) as [number | null];
    clearInterval(timer);
    if (code !== 0) throw new Error(`ckpt evaluate ended with ${code}`);
  });
  return { peakBytes, seconds: milliseconds / 1000 };
}

function print(name: string, { peakBytes, seconds }: Measured): void {
  console.log(`${name.padEnd(44)}${(peakBytes / 1e6).toFixed(0).padStart(10)} MB${seconds.toFixed(1).padStart(10)} s`);
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(async (folder) => {
  const run = join(folder, "run");
  const [first = ""] = await makeArtifacts(run);
  const rows = join(folder, "rows.parquet");
  const quarter = rowCount / 4;
  await writeRows(rows, quarter);
  const few = await evaluate(first, rows);
  print(`1 artifact, ${quarter.toLocaleString("en")} rows`, few);
  const artifacts = await evaluate(join(run, "artifacts"), rows);
  print(`${artifactCount} artifacts, ${quarter.toLocaleString("en")} rows`, artifacts);
  await rm(rows);
  await writeRows(rows, rowCount);
  const many = await evaluate(first, rows);
  print(`1 artifact, ${rowCount.toLocaleString("en")} rows`, many);
  printRatio("peak with all rows, in 600 MB", many.peakBytes / targetBytes, { atMost: 1 });
  printRatio("all rows / a quarter", many.peakBytes / few.peakBytes, { atMost: 1.1 });
  printRatio(`${artifactCount} artifacts / 1`, artifacts.peakBytes / few.peakBytes, { atMost: 1.1 });
});
process.exit();
