import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { formatPaths, type Split } from "@ckpt/manifest";

/** What the classic loop chose, and its milliseconds without the start of Python. */
export interface TensorFlowChoice {
  readonly ms: number;
  /** Index of the artifact with the highest accuracy. */
  readonly best: number;
}

/** Scores the `.pb` of artifacts by the classic loop in TensorFlow and chooses the best; or says why not. */
export async function chooseByTensorFlow(
  folder: string,
  artifacts: readonly string[],
  split: Split,
): Promise<TensorFlowChoice | string> {
  const venv = process.env["CKPT_BENCH_VENV"];
  if (venv === undefined) return "skipped: CKPT_BENCH_VENV is not set";
  // Rows that come again are read again there too.
  const { inputs, labels } = await split.read(0, Math.min(split.rowCount, 10_000));
  const [rows, classes] = [join(folder, "rows.bin"), join(folder, "labels.bin")];
  await writeFile(rows, inputs["input"]?.data ?? new Float32Array());
  await writeFile(classes, labels.data);
  const script = join(import.meta.dirname, "peers/tf-evaluate.py");
  const graphs = artifacts.map((artifact) => join(artifact, formatPaths["graph-def"]));
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", CUDA_VISIBLE_DEVICES: "" };
  const given = [script, rows, classes, String(split.rowCount), ...graphs];
  const { status, stdout, stderr, error } = spawnSync(join(venv, "bin/python"), given, { encoding: "utf8", env });
  if (error !== undefined) return `skipped: ${error.message}`;
  if (status !== 0) throw new Error(`tf-evaluate.py ended with ${status}\n${stderr}`);
  return JSON.parse(stdout) as TensorFlowChoice;
}
