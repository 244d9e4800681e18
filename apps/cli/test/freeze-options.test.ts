import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyProject, createFolder, readTree, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

const layerModule = `
import * as tf from "@tensorflow/tfjs";

enum Factor { Two = 2 }

class Doubling extends tf.layers.Layer {
  static readonly className = "CliTestDoubling";
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, Factor.Two);
  }
}
tf.serialization.registerClass(Doubling);
`;

let folder: string;

beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = await createFolder();
  await writeFile(join(folder, "layers.ts"), layerModule);
  await writeFile(join(folder, "broken.mjs"), "throw new Error('no such thing');");
  const packaged = join(folder, "node_modules/own-layers");
  await mkdir(packaged, { recursive: true });
  await writeFile(
    join(packaged, "package.json"),
    JSON.stringify({ name: "own-layers", type: "module", exports: { import: "./index.js" } }),
  );
  await writeFile(
    join(packaged, "index.js"),
    layerModule
      .replaceAll(/enum.*|override |readonly |: tf\.Tensor( \| tf\.Tensor\[\])?|!/g, "")
      .replace("Factor.Two", "2"),
  );
  await saveModel("doubling", "CliTestDoubling");
  await saveModel("plain", "Dropout");
});
afterAll(removeProjects);

describe("ckpt freeze --register", () => {
  it.each(["./layers.ts", "layers.ts", "own-layers"])("loads the layers of %s before the model", async (module) => {
    const { stdout } = await requireCkpt(["freeze", "doubling/model.json", "--register", module, "--json"], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toMatchObject({ artifacts: [{ path: "doubling/artifact", unverified: [] }] });
    await rm(join(folder, "doubling/artifact"), { recursive: true });
  });

  it("is asked for by the error for a layer that nobody knows, with 3", async () => {
    const { code, stderr } = await runCkpt(["freeze", "doubling/model.json"], { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toContain("no layer of the class CliTestDoubling");
    expect(stderr).toContain("--register");
  });

  it.each([
    ["./broken.mjs", "no such thing"],
    ["not-installed", "expected a file or an installed package, found not-installed"],
  ])("says what is wrong with %s, with 2", async (module, reason) => {
    const { code, stderr } = await runCkpt(["freeze", "plain/model.json", "--register", module], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toContain(`--register`);
    expect(stderr).toContain(reason);
  });
});

describe("ckpt freeze of a piece", () => {
  it("ends and begins where it is told to, and writes that down", async () => {
    const given = ["freeze", "plain/model.json", "--inputs", "hidden", "--outputs", "middle, result", "--json"];
    const { stdout } = await requireCkpt([...given, "--out", "piece"], { cwd: folder });
    const shown = await requireCkpt(["show", "piece"], { cwd: folder });
    expect(shown.stdout).toMatch(/^piece +begins at hidden$/m);
    expect(shown.stdout).toMatch(/^piece +ends at middle, result$/m);
    expect(JSON.parse(stdout)).toMatchObject({
      artifacts: [
        {
          signature: {
            inputs: [{ name: "hidden", shape: [null, 5] }],
            outputs: [{ name: "middle" }, { name: "result" }],
          },
        },
      ],
    });
  });

  it("is a further signature of the SavedModel, which `show` names", async () => {
    const given = ["freeze", "plain/model.json", "--further-signature", "embed=hidden", "--out", "signed", "--json"];
    const { stdout } = await requireCkpt(given, { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({
      artifacts: [{ furtherSignatures: { embed: { outputs: [{ name: "hidden" }] } } }],
    });
    const shown = await requireCkpt(["show", "signed"], { cwd: folder });
    expect(shown.stdout).toMatch(/^signature +embed: hidden of hidden_input$/m);
    expect(shown.stdout).toMatch(/^parity +saved-model in tfjs: hidden of embed within /m);
  });

  it("lists what there is for a name that is not there, with 2", async () => {
    const { code, stderr } = await runCkpt(["freeze", "plain/model.json", "--outputs", "hiden"], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/outputs: expected .*: hidden, .*, found hiden/);
  });

  it("can be one of a GraphModel, by its nodes", async () => {
    await requireCkpt(["freeze", "plain/model.json", "--out", "whole", "--formats", "graph-model"], { cwd: folder });
    const given = ["freeze", "whole/graph-model/model.json", "--out", "again", "--json"];
    const { stdout } = await requireCkpt(given, { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ artifacts: [{ source: { kind: "graph-model" }, unverified: [] }] });
  });
});

describe("ckpt freeze --workers", () => {
  it("gives the same files and lines with several as with one", async () => {
    const project = await copyProject(inject("finished").project);
    const artifacts = join(project, "runs/points/artifacts");
    const before = await readTree(artifacts);
    for (const workers of ["1", "3"]) {
      await rm(artifacts, { recursive: true });
      const { stdout } = await requireCkpt(["freeze", "runs/points", "--workers", workers], { cwd: project });
      expect(await readTree(artifacts)).toEqual(before);
      expect(
        stdout
          .split("\n")
          .slice(1, -1)
          .map((line) => line.split(" ")[0]),
      ).toEqual(
        [...new Set(Object.keys(before).map((path) => `runs/points/artifacts/${path.split("/")[0]}`))].toSorted(),
      );
    }
    const { code, stderr } = await runCkpt(["freeze", "runs/points", "--workers", "0"], { cwd: project });
    expect(code).toBe(2);
    expect(stderr).toContain("--workers: expected 1 or more, found 0");
  });
});

/** Saves a model as tfjs does; `middle` is a layer of this class. */
async function saveModel(name: string, className: string): Promise<void> {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ name: "hidden", inputShape: [2], units: 5, activation: "tanh" }),
      tf.layers.dropout({ name: "middle", rate: 0.5 }),
      tf.layers.dense({ name: "result", units: 3, activation: "softmax" }),
    ],
  });
  await mkdir(join(folder, name));
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData }) => {
      if (!(weightData instanceof ArrayBuffer)) throw new TypeError("expected one buffer of weights");
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      const json = JSON.stringify({ modelTopology, weightsManifest });
      await writeFile(join(folder, name, "model.json"), json.replace("Dropout", className));
      await writeFile(join(folder, name, "weights.bin"), new Uint8Array(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  model.dispose();
}
