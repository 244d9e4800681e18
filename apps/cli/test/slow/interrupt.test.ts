import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { readDocument, runManifestType, verifyRun } from "@ckpt/manifest";
import { afterAll, describe, expect, it } from "vitest";

import { type ConfigEdit, createProject, readRun, removeProjects } from "../project.js";
import { requireCkpt, runCkpt, startCkpt } from "../run-ckpt.js";

afterAll(removeProjects);

/** Takes its time for each step from one on, so that a signal arrives in the middle of training. */
const slowable: readonly ConfigEdit[] = [
  ["import { keepBest, onImprovement }", "import { anyOf, keepBest, onImprovement, when }"],
  [
    `save: onImprovement({ monitor: "val_loss" }),`,
    `save: anyOf(onImprovement({ monitor: "val_loss" }), when(({ step }) => {
      if (step > Number(process.env["SLOW_FROM"])) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      return false;
    })),`,
  ],
];
const endless: ConfigEdit = ["epochs: 6", "epochs: 1_000_000"];
/** 24 checkpoints: enough that a signal arrives before the last one is scored, several at once. */
const everyFourthStep: readonly ConfigEdit[] = [
  ["epochs: 6", "epochs: 12"],
  ["import { keepBest, onImprovement }", "import { everySteps }"],
  [`save: onImprovement({ monitor: "val_loss" })`, "save: everySteps(4)"],
  [`keep: [keepBest(3, { monitor: "val_loss" })],`, ""],
];

describe("ckpt train, killed by SIGKILL in the middle", () => {
  it("refuses to go on unasked, and with --resume ends with the bytes of a run that was never killed", async () => {
    const [killed, whole] = await Promise.all([createProject(...slowable), createProject(...slowable)]);
    const uninterrupted = requireCkpt(["train"], { cwd: whole });
    const training = startCkpt(["train"], { cwd: killed, env: { SLOW_FROM: "16" } });
    await training.waitFor("save      step 16/48");
    training.send("SIGKILL");
    expect((await training.outcome).signal).toBe("SIGKILL");

    const refused = await runCkpt(["train"], { cwd: killed });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("error RUN_EXISTS: runs/points: holds an incomplete run");
    expect(refused.stderr).toContain("--resume");
    expect(refused.stdout).toBe("");

    const resumed = await requireCkpt(["train", "--resume"], { cwd: killed });
    expect(resumed.stdout).toMatch(/^runs\/points: completed at step 48, epoch 6, .*, resumed from step \d+\n$/);
    await uninterrupted;
    const expected = await readRun(join(whole, "runs/points"));
    expect(Object.keys(expected).length).toBeGreaterThan(15);
    expect(await readRun(join(killed, "runs/points"))).toEqual(expected);
    expect((await verifyRun(join(killed, "runs/points"))).problems).toEqual([]);
  });
});

describe("ckpt train, stopped by a signal", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s: saves a checkpoint where it stands and ends with %i", async (signal, code) => {
    const project = await createProject(endless);
    const run = join(project, "runs/points");
    const training = startCkpt(["train"], { cwd: project });
    await training.waitFor("save      step 8/");
    training.send(signal);
    const outcome = await training.outcome;
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(`${signal}: stopping with the state saved`);
    expect(outcome.stdout).toMatch(/^runs\/points: stopped at step \d+,/);
    const { result } = await readDocument(runManifestType, join(run, "run.json"));
    expect(result).toMatchObject({ reason: "stopped" });
    const latest = (await readdir(join(run, "checkpoints"))).at(-1);
    expect(latest).toBe(`step-${String(result?.step).padStart(8, "0")}`);
    expect((await verifyRun(run)).problems).toEqual([]);
  });

  it("ends at once by a second signal", async () => {
    const project = await createProject([
      "model: () => {",
      `model: async () => {
    process.stderr.write("making the model\\n");
    await new Promise((resolve) => setTimeout(resolve, 3_600_000));`,
    ]);
    const training = startCkpt(["train"], { cwd: project });
    await training.waitFor("making the model");
    training.send("SIGINT");
    await training.waitFor("once more to end at once");
    training.send("SIGTERM");
    expect(await training.outcome).toMatchObject({ code: 143, stdout: "" });
  });
});

describe("ckpt freeze and ckpt evaluate, stopped by SIGTERM", () => {
  it("end with 143, keep what is finished and go on from there the next time", async () => {
    const project = await createProject(...everyFourthStep);
    const run = join(project, "runs/points");
    await requireCkpt(["train", "--quiet"], { cwd: project });

    const freezing = startCkpt(["freeze", "runs/points", "--json"], { cwd: project });
    await freezing.waitFor("freeze    1/24");
    freezing.send("SIGTERM");
    const frozen = await freezing.outcome;
    expect(frozen.code).toBe(143);
    expect(frozen.stderr).toContain("everything finished so far is kept");
    expect(JSON.parse(frozen.stdout)).toMatchObject({ schemaVersion: 1, error: { code: "STOPPED" } });
    await expectPartOf(24, join(run, "artifacts"));
    expect((await verifyRun(run)).problems).toEqual([]);
    const rest = await requireCkpt(["freeze", "runs/points"], { cwd: project });
    expect(rest.stderr).toMatch(/freeze {4}1\/24 .* is there already/);
    expect(await readdir(join(run, "artifacts"))).toHaveLength(24);

    const evaluating = startCkpt(["evaluate", "runs/points"], { cwd: project });
    await evaluating.waitFor("evaluate  1/24");
    evaluating.send("SIGTERM");
    expect(await evaluating.outcome).toMatchObject({ code: 143, stdout: "" });
    await expectPartOf(24, join(run, "evaluations"));
    expect((await verifyRun(run)).problems).toEqual([]);
  });
});

/** Some folders are committed, not all of them, and none is left half written. */
async function expectPartOf(count: number, folder: string): Promise<void> {
  const names = await readdir(folder);
  expect(names.length).toBeGreaterThanOrEqual(1);
  expect(names.length).toBeLessThan(count);
  expect(names.filter((name) => name.startsWith("."))).toEqual([]);
}
