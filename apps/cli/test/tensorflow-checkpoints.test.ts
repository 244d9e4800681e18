import { cp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openBundle, type TensorValue } from "@ckpt/tensor-bundle";
import { readCheckpoint, readCheckpointState } from "@ckpt/trainer";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createFolder, readTree, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

const fixtures = join(import.meta.dirname, "../../../packages/freezer/test/fixtures/tensorflow");

let folder: string;
beforeAll(async () => {
  folder = await createFolder();
});
afterAll(removeProjects);

describe("ckpt ls on a folder of TensorFlow's checkpoints", () => {
  it("lists them with steps and sizes", async () => {
    const { stdout } = await requireCkpt(["ls", "mlp-ref"], { cwd: fixtures });
    expect(stdout.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
      "mlp-ref saved by TensorFlow, 3 checkpoint(s)",
      "checkpoint step tensors size graph",
      "-mlp3-10 10 15 1.5 kB -mlp3-10.meta",
      "-mlp3-20 20 15 1.5 kB -mlp3-20.meta",
      "-mlp3-40 40 15 1.5 kB -mlp3-40.meta",
      "",
    ]);
  });

  it("prints the same as one JSON document, the newest ones only if asked", async () => {
    const { stdout } = await requireCkpt(["ls", "mlp-ref", "--limit", "1", "--json"], { cwd: fixtures });
    expect(JSON.parse(stdout)).toMatchObject({
      command: "ls",
      runs: [],
      saved: {
        path: "mlp-ref",
        checkpointCount: 3,
        checkpoints: [{ name: "-mlp3-40", step: 40, prefix: "mlp-ref/-mlp3-40", format: "bundle", tensorCount: 15 }],
        missing: [],
        invalid: [],
      },
    });
  });

  it("says what is missing and what is damaged", async () => {
    const save = join(folder, "save");
    await cp(join(fixtures, "mlp-ref"), save, { recursive: true });
    await rm(join(save, "-mlp3-10.index"));
    await rm(join(save, "-mlp3-10.data-00000-of-00001"));
    await truncate(join(save, "-mlp3-20.index"), 100);
    const { code, stdout } = await runCkpt(["ls", "save"], { cwd: folder });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^missing -mlp3-10: listed/m);
    expect(stdout).toMatch(/^invalid -mlp3-20: save\/-mlp3-20\.index: not a valid TensorFlow checkpoint/m);
    expect(stdout).toMatch(/^-mlp3-40 /m);
  });

  it("refuses a checkpoint file that leads out of its folder", async () => {
    await writeFile(join(folder, "checkpoint"), 'model_checkpoint_path: "../model-1"\n');
    const { code, stderr } = await runCkpt(["ls", "."], { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toContain('names "../model-1", which is outside its folder');
  });
});

describe("ckpt export --to tf-checkpoint", () => {
  const toTensorFlow = ["--to", "tf-checkpoint", "--out", "save"];

  it("writes every checkpoint of a run with the optimizer's state, and lists them", async () => {
    const project = await copyProject(inject("finished").project);
    const line = ["export", "runs/points", ...toTensorFlow, "--json"];
    const { stdout } = await requireCkpt(line, { cwd: project });
    const { checkpoints } = JSON.parse(stdout) as {
      readonly checkpoints: readonly { readonly source: string; readonly prefix: string; readonly step: number }[];
    };
    expect(checkpoints).toHaveLength(3);
    for (const { source, prefix, step } of checkpoints) {
      expect(prefix).toBe(join("save", `model.ckpt-${step}`));
      const { weights, optimizer } = await readCheckpointState(await readCheckpoint(join(project, source)));
      const bundle = await openBundle(join(project, prefix));
      const read = async (name: string): Promise<TensorValue["values"]> => (await bundle.read(name)).values;
      for (const { name, data } of weights) expect(await read(name)).toEqual(data);
      for (const { slot, variable, data } of optimizer!.slots) {
        expect(await read(`${variable}/${slot === "m" ? "Adam" : "Adam_1"}`)).toEqual(data);
      }
      expect(await read("beta1_power")).toEqual(optimizer!.scalars[0]!.data);
      expect((await read("beta1_power"))[0]).toBeCloseTo(0.9 ** (step + 1), 5);
      expect((await read("beta2_power"))[0]).toBeCloseTo(0.999 ** (step + 1), 5);
      expect(await read("global_step")).toEqual(BigInt64Array.of(BigInt(step)));
      expect(bundle.entries.size).toBe(3 * weights.length + 3);
      await bundle.close();
    }

    const listed = await requireCkpt(["ls", "save", "--json"], { cwd: project });
    const steps = checkpoints.map(({ step }) => ({ step }));
    expect(JSON.parse(listed.stdout)).toMatchObject({ saved: { checkpoints: steps, missing: [], invalid: [] } });

    const before = await readTree(join(project, "save"));
    const again = await runCkpt(line, { cwd: project });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("already there");
    expect(await readTree(join(project, "save"))).toEqual(before);
  });

  it("writes one checkpoint, or an average, which has weights only", async () => {
    const project = await copyProject(inject("finished").project);
    const averaged = await requireCkpt(["average", "runs/points", "--last", "2", "--json"], { cwd: project });
    const { path, step } = JSON.parse(averaged.stdout) as { readonly path: string; readonly step: number };
    await requireCkpt(["export", path, ...toTensorFlow], { cwd: project });
    const bundle = await openBundle(join(project, "save", `average.ckpt-${step}`));
    expect(bundle.entries.size).toBe(4 + 1);
    await bundle.close();
  });

  it("refuses what is no run and no checkpoint, and a damaged one", async () => {
    const project = await copyProject(inject("finished").project);
    const nothing = await runCkpt(["export", "runs", ...toTensorFlow], { cwd: project });
    expect(nothing.code).toBe(3);
    const [first] = await readdir(join(project, "runs/points/checkpoints"));
    const checkpoint = join("runs/points/checkpoints", first!);
    await truncate(join(project, checkpoint, "weights.bin"), 10);
    const damaged = await runCkpt(["export", checkpoint, ...toTensorFlow], { cwd: project });
    expect(damaged.code).toBe(3);
    expect(damaged.stderr).toContain("weights.bin");
    expect(await readdir(project)).not.toContain("save");
  });
});
