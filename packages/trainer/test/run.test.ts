import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type DataRecord, digestBytes, leaseFolder, verifyRun } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { createCheckpointer, everySteps, listCheckpoints, openRun, type OpenRunOptions } from "../src/index.js";
import { createModel } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const configDigest = digestBytes("config");
const record: DataRecord = { name: "train", role: "train", rowCount: 1, digest: digestBytes("rows") };

/** A run of three steps, each saved and measured; ended as `result` says. */
async function makeRun(path: string, result?: "completed" | "stopped"): Promise<void> {
  const run = await openRun({ path, configDigest, data: [record] });
  const model = createModel("sgd");
  const checkpointer = await createCheckpointer({ run, model, save: everySteps(1) });
  for (let step = 1; step <= 3; step++) await checkpointer.step({ loss: 1 / step });
  await (result === undefined ? checkpointer.close() : checkpointer.finish(result));
  model.dispose();
}

async function openAndClose(options: OpenRunOptions): Promise<void> {
  await (await openRun(options)).close();
}

describe("openRun", () => {
  it("makes a run that verifies before anything was saved", async () => {
    const path = join(await makeTestFolder(), "deep", "digits");
    const run = await openRun({ path, configDigest, seed: 3, data: [record], versions: { other: "1.2.3" } });
    expect(run.manifest).toMatchObject({ name: "digits", configDigest, seed: 3, backend: "cpu", data: [record] });
    expect(Object.keys(run.manifest.versions)).toEqual(["@ckpt/trainer", "@tensorflow/tfjs", "other"]);
    expect(run).toMatchObject({ isComplete: false, skipped: [], history: [] });
    await run.close();
    expect((await verifyRun(path)).problems).toEqual([]);
    expect(await readdir(path)).not.toContain(".lock");
  });

  it("refuses an incomplete run unless it is resumed", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path);
    await expect(openRun({ path, configDigest, data: [record] })).rejects.toMatchObject({
      code: "RUN_EXISTS",
      remedy: expect.stringMatching(/--resume.*--fresh/) as string,
    });
    const run = await openRun({ path, configDigest, data: [record], isResuming: true });
    expect(run.resumePoint?.checkpoint.step).toBe(3);
    expect(run.history.map(({ step }) => step)).toEqual([1, 2, 3]);
    await run.close();
  });

  it("says where a stopped run was stopped", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path, "stopped");
    await expect(openRun({ path, configDigest, data: [record] })).rejects.toThrow("stopped at step 3");
  });

  it("returns a complete run as such, resumed or not, and does not hold its lock", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path, "completed");
    for (const isResuming of [false, true]) {
      const run = await openRun({ path, configDigest, data: [record], isResuming });
      expect(run.isComplete).toBe(true);
      await expect(createCheckpointer({ run, model: createModel(), save: everySteps(1) })).rejects.toThrow(TypeError);
    }
    expect(await readdir(path)).not.toContain(".lock");
  });

  it.each<readonly [string, Partial<OpenRunOptions>, string]>([
    ["configuration", { configDigest: digestBytes("other") }, "another configuration"],
    ["seed", { seed: 1 }, "another configuration"],
    ["data", { data: [{ ...record, digest: digestBytes("other rows") }] }, "the same configuration on other data"],
  ])("refuses a run of another %s, complete or not", async (_what, change, reason) => {
    for (const result of [undefined, "completed"] as const) {
      const path = join(await makeTestFolder(), "run");
      await makeRun(path, result);
      for (const isResuming of [false, true]) {
        await expect(openRun({ path, configDigest, data: [record], isResuming, ...change })).rejects.toMatchObject({
          code: "RUN_EXISTS",
          message: expect.stringContaining(reason) as string,
          remedy: expect.stringMatching(/--fresh.*another name/) as string,
        });
      }
    }
  });

  it("resumes what was never begun by beginning it", async () => {
    const path = join(await makeTestFolder(), "run");
    const run = await openRun({ path, isResuming: true });
    expect(run.resumePoint).toBeUndefined();
    await run.close();
  });

  it("discards what ckpt wrote and nothing else", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path, "completed");
    const foreign = ["notes.txt", "checkpoints/mine.txt", "checkpoints/step-1/model.json", "evaluations/x/y.txt"];
    const owned = [
      "artifacts/step-00000001/artifact.json",
      "evaluations/0a/evaluation.json",
      "evaluations/.scoring-0123456789abcdef.json",
      "evaluations/races/select.0123456789ab.json",
      "ranking.json",
      "report.html",
    ];
    for (const file of [...foreign, ...owned]) {
      await mkdir(join(path, file, ".."), { recursive: true });
      await writeFile(join(path, file), file);
    }
    await symlink("artifacts/step-00000001", join(path, "best"));
    await openAndClose({ path, configDigest: digestBytes("other"), isFresh: true });
    const left = (await readdir(path, { recursive: true, withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .toSorted();
    expect(left).toEqual([...foreign, "run.json", "history.jsonl", "timings.jsonl"].toSorted());
    for (const file of foreign) expect(await readFile(join(path, file), "utf8")).toBe(file);
    expect(await readFile(join(path, "history.jsonl"), "utf8")).toBe("");
  });

  it("keeps what somebody put into a checkpoint's folder", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path, "completed");
    await writeFile(join(path, "checkpoints", "step-00000002", "notes.txt"), "mine");
    await openAndClose({ path, configDigest, isFresh: true });
    expect(await readdir(join(path, "checkpoints"))).toEqual(["step-00000002.rest"]);
    expect(await readdir(join(path, "checkpoints", "step-00000002.rest"))).toEqual(["notes.txt"]);
  });

  it.each(["checkpoints", "artifacts"])("discards nothing while one of the %s is read", async (folder) => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path, "completed");
    await cp(join(path, "checkpoints", "step-00000003"), join(path, "artifacts", "step-00000003"), { recursive: true });
    const before = await readdir(path, { recursive: true });
    const lease = await leaseFolder(join(path, folder, "step-00000003"));
    await expect(openRun({ path, configDigest, data: [record], isFresh: true })).rejects.toMatchObject({
      code: "RUN_LOCKED",
      details: { path, pid: process.pid },
    });
    await lease.release();
    expect(await readdir(path, { recursive: true })).toEqual(before);
    // What processes left that died while they removed an artifact or read it.
    await mkdir(join(path, "artifacts", ".step-00000001.trash-1"));
    await writeFile(join(path, "artifacts", ".step-00000001.lease-1-1"), "");
    await openAndClose({ path, configDigest, data: [record], isFresh: true });
    expect(await readdir(path)).toEqual(["checkpoints", "history.jsonl", "run.json", "timings.jsonl"]);
  });

  it("refuses checkpoints that no run.json speaks for", async () => {
    const path = join(await makeTestFolder(), "run");
    await mkdir(join(path, "checkpoints", "step-00000001"), { recursive: true });
    await expect(openRun({ path })).rejects.toMatchObject({ code: "RUN_EXISTS" });
    await openAndClose({ path, isFresh: true });
  });

  it("refuses to resume and to discard at once", async () => {
    const path = join(await makeTestFolder(), "run");
    await expect(openRun({ path, isResuming: true, isFresh: true })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  it("lets one process in at a time", async () => {
    const path = join(await makeTestFolder(), "run");
    const run = await openRun({ path });
    await expect(openRun({ path, isResuming: true })).rejects.toMatchObject({
      code: "RUN_LOCKED",
      details: { pid: process.pid },
    });
    await run.close();
    await openAndClose({ path, isResuming: true });
  });

  it("gives up the lock when it cannot open the run", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path);
    await writeFile(join(path, "run.json"), "{}");
    await expect(openRun({ path, isResuming: true })).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    expect(await readdir(path)).not.toContain(".lock");
  });

  it("removes what an interrupted write left, and lines that were cut short", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path);
    await mkdir(join(path, "checkpoints", ".step-00000004.staging-1"));
    const whole = await readFile(join(path, "history.jsonl"), "utf8");
    const timings = await readFile(join(path, "timings.jsonl"), "utf8");
    await writeFile(join(path, "history.jsonl"), `${whole}{"step":4,"ep`);
    await writeFile(join(path, "timings.jsonl"), `${timings}{"stage"`);
    await openAndClose({ path, configDigest, data: [record], isResuming: true });
    expect(await readdir(join(path, "checkpoints"))).toEqual(["step-00000001", "step-00000002", "step-00000003"]);
    expect(await readFile(join(path, "history.jsonl"), "utf8")).toBe(whole);
    expect(await readFile(join(path, "timings.jsonl"), "utf8")).toBe(timings);
  });

  it("refuses a history that lost a line the checkpoint was saved after", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path);
    const lines = (await readFile(join(path, "history.jsonl"), "utf8")).split("\n");
    await writeFile(join(path, "history.jsonl"), lines.slice(1).join("\n"));
    await expect(openRun({ path, configDigest, data: [record], isResuming: true })).rejects.toThrow(
      "2 measurements, but the checkpoint was saved after 3",
    );
  });

  it("passes over a checkpoint under another one's name", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path);
    await cp(join(path, "checkpoints", "step-00000002"), join(path, "checkpoints", "step-00000009"), {
      recursive: true,
    });
    const run = await openRun({ path, configDigest, data: [record], isResuming: true });
    expect(run.resumePoint?.checkpoint.step).toBe(3);
    expect(run.skipped.map(({ reason }) => reason.message)).toEqual([
      expect.stringContaining("expected 9, as the folder is named, found 2"),
    ]);
    await run.close();
  });

  it("does not take a checkpoint of a newer ckpt for a damaged one", async () => {
    const path = join(await makeTestFolder(), "run");
    await makeRun(path);
    const file = join(path, "checkpoints", "step-00000003", "checkpoint.json");
    const { digest: _digest, ...content } = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    const newer = { ...content, schemaVersion: 2 };
    await writeFile(file, `${JSON.stringify({ ...newer, digest: digestBytes(JSON.stringify(newer)) }, null, 2)}\n`);
    await expect(openRun({ path, configDigest, data: [record], isResuming: true })).rejects.toMatchObject({
      code: "SCHEMA_TOO_NEW",
    });
    expect((await listCheckpoints(path)).checkpoints.map(({ step }) => step)).toEqual([1, 2]);
  });
});
