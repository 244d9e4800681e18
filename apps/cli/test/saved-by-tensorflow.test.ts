import { cp, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createFolder, removeProjects } from "./project.js";
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
