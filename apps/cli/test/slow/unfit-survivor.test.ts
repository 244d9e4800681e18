import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, it } from "vitest";

import { createFolder, removeProjects } from "../project.js";
import { requireCkpt } from "../run-ckpt.js";

const rowCount = 4000;
/** None of the rows that a race reads. */
const hugeRow = 2000;
const kernel = [0.9, -0.5, -0.4, 0.1, 0.7, -0.8];

let folder: string;

const times = (factor: number): readonly number[] => kernel.map((weight) => factor * weight);

/** A linear classifier as tfjs saves it. */
async function saveModel(name: string, weights: readonly number[]): Promise<void> {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 3, activation: "softmax" })] });
  model.setWeights([tf.tensor2d([...weights], [2, 3]), tf.zeros([3])]);
  await mkdir(join(folder, name));
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData }) => {
      if (!(weightData instanceof ArrayBuffer)) throw new TypeError("expected one buffer of weights");
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      await writeFile(join(folder, name, "model.json"), JSON.stringify({ modelTopology, weightsManifest }));
      await writeFile(join(folder, name, "weights.bin"), new Uint8Array(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
}

beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = await createFolder();
  // The one that labels the rows has weights so large that a huge row is too much for it.
  await saveModel("sharp", times(4));
  for (const [index, name] of ["soft", "softer", "softest"].entries()) {
    const tilt = 0.12 * (index + 1);
    await saveModel(
      name,
      times(0.4).map((weight, at) => weight + (at % 2 === 0 ? tilt : -tilt)),
    );
  }
  for (const name of ["sharp", "soft", "softer", "softest"]) {
    await requireCkpt(["freeze", `${name}/model.json`, "--out", `frozen/${name}`, "--formats", "onnx"], {
      cwd: folder,
    });
  }
  const lines = Array.from({ length: rowCount }, (_, row) => {
    const [x, y] = row === hugeRow ? [3e38, 3e38] : [Math.sin(row * 1.3), Math.cos(row ** 1.2)];
    const scores = [0, 1, 2].map((unit) => x * (kernel[unit] ?? 0) + y * (kernel[3 + unit] ?? 0));
    return `${x},${y},${scores.indexOf(Math.max(...scores))}`;
  });
  await writeFile(join(folder, "heldout.csv"), `x,y,class\n${lines.join("\n")}\n`);
});
afterAll(removeProjects);

it("races again those that a candidate may have dropped which turns out to be unfit", async () => {
  const given = ["evaluate", "frozen", "--data", "heldout.csv", "--input", "point=/^[xy]$/", "--label", "class"];
  const options = ["--classes", "3", "--metric", "accuracy", "--race", "--json"];
  for (const isStored of [false, true]) {
    const { stdout, stderr } = await requireCkpt([...given, ...options], { cwd: folder });
    const races = stderr.split("\n").filter((line) => line.includes("✔ race"));
    expect(races).toHaveLength(2);
    expect(races[0]).toContain("3 of 4 dropped");
    expect(races[1]).toContain("2 of 3 dropped");
    expect(races.every((line) => line.includes("stored race"))).toBe(isStored);
    const { candidates, pick } = JSON.parse(stdout) as {
      readonly candidates: readonly { readonly id: string; readonly status: string }[];
      readonly pick: { readonly id: string };
    };
    expect(pick.id).toBe("soft");
    expect(candidates.map(({ id, status }) => [id, status])).toEqual([
      ["soft", "best"],
      ["sharp", "failed"],
      ["softer", "dropped"],
      ["softest", "dropped"],
    ]);
  }
});
