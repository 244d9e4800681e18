import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";

import type { BackendName } from "@ckpt/backend";
import { verifyRun } from "@ckpt/manifest";
import { describe, expect, it, onTestFinished } from "vitest";

import { readFinalWeights } from "../exact-resume.js";
import { readRunFiles } from "../fixture.js";
import { makeTestFolder } from "../test-folder.js";

/** The largest difference of two weights after 12 updates; 5e-7 was measured. */
const maxDifference = 1e-5;
const child = join(import.meta.dirname, "train-child.ts");
const loader = new URL("../../../../scripts/register-typescript.mjs", import.meta.url).href;

interface ChildOptions {
  readonly model?: "dense" | "convolutions";
  readonly backend?: BackendName;
  /** The threads that one operation of TensorFlow is divided among. */
  readonly threads?: number;
  readonly isOneDnnOff?: boolean;
  /** The step after which the process kills itself. */
  readonly killAt?: number;
}

/** Trains on in a process of its own until it is killed or done. */
async function trainInChild(run: string, options: ChildOptions = {}): Promise<void> {
  const { model = "convolutions", backend = "tensorflow", threads = 2, isOneDnnOff = false, killAt } = options;
  const started = spawn(
    process.execPath,
    ["--conditions=@ckpt/source", "--import", loader, child, run, model, backend, String(killAt ?? "")],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        TF_NUM_INTRAOP_THREADS: String(threads),
        TF_ENABLE_ONEDNN_OPTS: isOneDnnOff ? "0" : "1",
      },
    },
  );
  onTestFinished(() => void started.kill("SIGKILL"));
  let errors = "";
  started.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code, signal] = (await once(started, "exit")) as [code: number | null, signal: NodeJS.Signals | null];
  expect(killAt === undefined ? code : signal, errors).toBe(killAt === undefined ? 0 : "SIGKILL");
}

/** Expects two runs to differ, but by rounding alone. */
async function expectNearlyEqual(run: string, other: string): Promise<void> {
  const [weights, others] = [await readFinalWeights(run), await readFinalWeights(other)];
  expect(others).not.toEqual(weights);
  const differences = weights.map((weight, index) => Math.abs(weight - (others[index] ?? Number.NaN)));
  expect(Math.max(...differences)).toBeLessThan(maxDifference);
}

describe("processes that train on the backend tensorflow", () => {
  it.each([1, 2, 4])(
    "give the same bytes with %i threads an operation, side by side, killed or not",
    async (threads) => {
      const folder = await makeTestFolder();
      const [whole, again, killed] = ["whole", "again", "killed"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const killTwice = async (): Promise<void> => {
        for (const killAt of [5, 10]) await trainInChild(killed, { threads, killAt });
        await trainInChild(killed, { threads });
      };
      // More threads than the machine has processors, so that their order is not always the same.
      await Promise.all([trainInChild(whole, { threads }), trainInChild(again, { threads }), killTwice()]);
      expect((await verifyRun(killed)).problems).toEqual([]);
      const files = await readRunFiles(whole);
      expect(files["run.json"]).toContain('"backend": "tensorflow"');
      expect(await readRunFiles(again)).toEqual(files);
      expect(await readRunFiles(killed)).toEqual(files);
    },
  );

  it("give the same bytes for dense layers with any number of threads", async () => {
    const folder = await makeTestFolder();
    const runs = await Promise.all(
      [1, 2, 4].map(async (threads) => {
        const run = join(folder, String(threads));
        await trainInChild(run, { threads, model: "dense" });
        return readRunFiles(run);
      }),
    );
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  it.each<readonly [string, ChildOptions]>([
    ["another number of threads", { threads: 4 }],
    ["another setting of oneDNN", { isOneDnnOff: true }],
    ["another backend", { backend: "cpu" }],
  ])("give other bytes for convolutions with %s, from the start or resumed", async (_, other) => {
    const folder = await makeTestFolder();
    const [whole, different, resumed] = ["whole", "different", "resumed"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await Promise.all([
      trainInChild(whole),
      trainInChild(different, other),
      trainInChild(resumed, { killAt: 5 }).then(() => trainInChild(resumed, other)),
    ]);
    await expectNearlyEqual(whole, different);
    await expectNearlyEqual(whole, resumed);
    expect((await verifyRun(resumed)).problems).toEqual([]);
    // Resuming elsewhere is allowed; the manifest names where the run was finished.
    const { backend = "tensorflow" } = other;
    expect((await readRunFiles(resumed))["run.json"]).toContain(`"backend": "${backend}"`);
  });
});
