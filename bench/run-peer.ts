import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

/**
 * Runs a program of `peers/` that prints its times as one JSON list, in the Python that `pnpm peers` has installed into
 * CKPT_BENCH_VENV; or says why there are none.
 */
export function runPeer(script: string, given: readonly (string | number)[]): readonly number[] | string {
  const venv = process.env["CKPT_BENCH_VENV"];
  if (venv === undefined) return "skipped: CKPT_BENCH_VENV is not set";
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", CUDA_VISIBLE_DEVICES: "" };
  const { status, stdout, stderr, error } = spawnSync(
    join(venv, "bin/python"),
    [join(import.meta.dirname, "peers", script), ...given.map(String)],
    { encoding: "utf8", env },
  );
  if (error !== undefined) return `skipped: ${error.message}`;
  if (status !== 0) throw new Error(`${script} ended with ${status}\n${stderr}`);
  return JSON.parse(stdout) as readonly number[];
}
