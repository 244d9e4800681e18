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

/** Rows that `mlp-ref` was not trained on. */
const heldOut = `a,b,c,d,e,f,digit
${Array.from({ length: 12 }, (_, row) =>
  Array.from({ length: 6 }, (_, at) => Math.sin(row * 6 + at).toFixed(3)).join(","),
)
  .map((cells, row) => `${cells},${row % 3}`)
  .join("\n")}
`;

interface Candidate {
  readonly id: string;
  readonly metrics: Readonly<Record<string, { readonly value: number }>>;
}

describe("ckpt freeze on TensorFlow's checkpoints", () => {
  it("asks for the outputs, with the command to type and 2, and writes nothing", async () => {
    const save = join(folder, "unnamed");
    await cp(join(fixtures, "mlp-ref"), save, { recursive: true });
    const { code, stderr } = await runCkpt(["freeze", "unnamed"], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/the likeliest first:\n {2}probs: Softmax\n/);
    expect(stderr).toContain("Name them: ckpt freeze unnamed --outputs probs\n");
    expect(await readdir(save)).not.toContain("artifacts");
  });

  it("freezes a folder; evaluate ranks the artifacts as it does any others", async () => {
    await cp(join(fixtures, "mlp-ref"), join(folder, "mlp"), { recursive: true });
    await writeFile(join(folder, "heldout.csv"), heldOut);
    const freezing = ["freeze", "mlp", "--outputs", "probs,hidden/Relu", "--formats", "graph-model,onnx", "--json"];
    const frozen = await requireCkpt(freezing, { cwd: folder });
    expect(JSON.parse(frozen.stdout)).toMatchObject({
      artifacts: [10, 20, 40].map((step) => ({
        path: `mlp/artifacts/step-000000${step}`,
        source: { kind: "tensorflow-checkpoint", step },
        isReused: false,
      })),
      skipped: [],
    });

    const data = ["--data", "heldout.csv", "--input", "inp=/^[a-f]$/", "--label", "digit", "--classes", "3"];
    const line = ["evaluate", "mlp/artifacts", ...data, "--metric", "logLoss", "--json"];
    const { candidates, pick } = JSON.parse((await requireCkpt(line, { cwd: folder })).stdout) as {
      readonly candidates: readonly Candidate[];
      readonly pick: { readonly id: string };
    };
    const losses = candidates.map(({ metrics }) => metrics["logLoss"]!.value);
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    expect(new Set(losses).size).toBe(3);
    expect(pick.id).toBe(candidates[0]!.id);

    const named = JSON.parse((await requireCkpt([...line, "--output", "probs"], { cwd: folder })).stdout) as {
      readonly candidates: readonly Candidate[];
    };
    expect(named.candidates.map(({ metrics }) => metrics)).toEqual(candidates.map(({ metrics }) => metrics));
    const hidden = await runCkpt([...line, "--output", "hidden/Relu"], { cwd: folder });
    expect(hidden.code).toBe(3);
    expect(hidden.stderr).toContain("output hidden/Relu");
  });

  it("pins placeholders, and freezes one checkpoint beside itself", async () => {
    await cp(join(fixtures, "dropout"), join(folder, "dropout"), { recursive: true });
    const line = ["freeze", "dropout/model.ckpt-20", "--outputs", "probs", "--formats", "graph-def"];
    const { stdout } = await requireCkpt([...line, "--pin", "keep_prob=1", "--json"], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ artifacts: [{ path: "dropout/model.ckpt-20.artifact" }] });
    const shown = await requireCkpt(["show", "dropout/model.ckpt-20.artifact"], { cwd: folder });
    expect(shown.stdout).toMatch(/source +tensorflow-checkpoint of step 20, [0-9a-f]{12}, keep_prob=1\n/);
    const wrong = await runCkpt([...line, "--pin", "keep_prob"], { cwd: folder });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("NAME=VALUE");
  });

  it("takes a graph from elsewhere, and a SavedModel by its signature", async () => {
    await cp(join(fixtures, "object-based"), join(folder, "objects"), { recursive: true });
    await cp(join(fixtures, "saved-model-tf2/model"), join(folder, "exported"), { recursive: true });
    const ungraphed = await runCkpt(["freeze", "objects/ckpt-1"], { cwd: folder });
    expect(ungraphed.code).toBe(3);
    expect(ungraphed.stderr).toContain("--graph FILE");
    const unnamed = await runCkpt(["freeze", "objects/ckpt-1", "--graph", "objects/graph.pbtxt"], { cwd: folder });
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain("ckpt freeze objects/ckpt-1 --graph objects/graph.pbtxt --outputs probs");
    const formats = ["--formats", "graph-def"];
    const named = ["--graph", "objects/graph.pbtxt", "--outputs", "probs"];
    await requireCkpt(["freeze", "objects", ...named, ...formats], { cwd: folder });
    expect(await readdir(join(folder, "objects/artifacts"))).toEqual(["step-00000001"]);
    await requireCkpt(["freeze", "exported", ...formats], { cwd: folder });
    const other = await runCkpt(["freeze", "exported", "--signature", "train"], { cwd: folder });
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("one of serving_default");
  });

  it("refuses options of TensorFlow's graphs for a run", async () => {
    const project = await copyProject(inject("finished").project);
    const { code, stderr } = await runCkpt(["freeze", "runs/points", "--pin", "a=1"], { cwd: project });
    expect(code).toBe(2);
    expect(stderr).toContain("--pin: expected a model of TensorFlow, found run runs/points");
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
