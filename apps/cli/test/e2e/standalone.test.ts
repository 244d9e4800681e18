import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createProject, packPackages } from "./packed-project.js";
import { requireProcess } from "./run-process.js";

/** Each stage in a project of its own, with the packed package and nothing else of ckpt but what it depends on. */
describe("a stage alone, installed by npm outside the workspace", () => {
  let folder: string;
  let tarballs: Map<string, string>;
  const only = (...names: readonly string[]): Map<string, string> =>
    new Map([...tarballs].filter(([name]) => names.includes(name)));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ckpt-standalone-"));
    tarballs = await packPackages(folder, ["manifest", "graph", "tensor-bundle", "trainer", "freezer", "evaluator"]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("trainer: checkpoints an own training loop", async () => {
    const project = join(folder, "train");
    await createProject(
      project,
      only("@ckpt/manifest", "@ckpt/trainer"),
      { "@tensorflow/tfjs": "^4.22.0" },
      trainScript,
    );
    await requireProcess("node", ["script.js"], { cwd: project });
    const steps = await readdir(join(project, "run/checkpoints"));
    expect(steps).toEqual(["step-00000010", "step-00000020"]);
  });

  it("freezer: freezes one checkpoint", async () => {
    const project = join(folder, "freeze");
    await createProject(
      project,
      only("@ckpt/manifest", "@ckpt/graph", "@ckpt/tensor-bundle", "@ckpt/freezer"),
      { "@tensorflow/tfjs": "^4.22.0", "onnxruntime-node": "^1.30.0" },
      freezeScript,
    );
    await requireProcess("node", ["script.js"], { cwd: project });
    for (const id of ["step-00000010", "step-00000020"]) {
      const files = (await readdir(join(project, "frozen", id))).toSorted();
      expect(files).toEqual(["artifact.json", "frozen.pb", "graph-model", "model.onnx", "saved-model"]);
    }
  });

  it("evaluator: scores two artifacts", async () => {
    const project = join(folder, "evaluate");
    await createProject(
      project,
      only("@ckpt/manifest", "@ckpt/evaluator"),
      { "onnxruntime-node": "^1.30.0" },
      evaluateScript,
    );
    const { stdout } = await requireProcess("node", ["script.js"], { cwd: project });
    const ranking = JSON.parse(stdout) as { readonly candidates: readonly { readonly id: string }[] };
    expect(ranking.candidates.map(({ id }) => id).toSorted()).toEqual(["step-00000010", "step-00000020"]);
    const manifest = await readFile(join(project, "node_modules/@ckpt/evaluator/package.json"), "utf8");
    expect(manifest).not.toContain("workspace:");
  });
});

const trainScript = `
import { createCheckpointer, everySteps, openRun } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [4], units: 8, activation: "relu" }),
    tf.layers.dense({ units: 3, activation: "softmax" }),
  ],
});
model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
const run = await openRun({ path: "run" });
const checkpointer = await createCheckpointer({ run, model, save: everySteps(10) });
const x = tf.randomUniform([32, 4]);
const y = tf.argMax(tf.slice(x, [0, 0], [32, 3]), 1).toFloat().expandDims(1);
for (let step = 1; step <= 20; step++) {
  const loss = await model.trainOnBatch(x, y);
  await checkpointer.step({ loss: Array.isArray(loss) ? loss[0]! : loss });
}
await checkpointer.finish("completed");
await run.close();
`;

const freezeScript = `
import { freeze } from "@ckpt/freezer";
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
for (const id of ["step-00000010", "step-00000020"]) {
  const { manifest } = await freeze({ source: \`../train/run/checkpoints/\${id}\`, out: \`frozen/\${id}\` });
  for (const { format, maxAbsoluteError } of manifest.parity) {
    if (!(maxAbsoluteError <= 1e-5)) throw new Error(\`\${format}: \${maxAbsoluteError}\`);
  }
}
`;

const evaluateScript = `
import { evaluateArtifact, rankArtifacts } from "@ckpt/evaluator";
import type { Split } from "@ckpt/manifest";

const rowCount = 12;
const data = Float32Array.from({ length: rowCount * 4 }, (_, index) => ((index * 37) % 100) / 100);
const labels = Int32Array.from({ length: rowCount }, (_, row) => row % 3);
const read = async (start: number, end: number) => ({
  rowCount: end - start,
  inputs: { x: { data: data.subarray(start * 4, end * 4), shape: [end - start, 4] } },
  labels: { data: labels.subarray(start, end), shape: [end - start] },
});
const split: Split = {
  name: "heldout",
  role: "select",
  rowCount,
  digest: "0".repeat(64),
  inputs: [{ name: "x", dtype: "float32", shape: [null, 4] }],
  classes: ["a", "b", "c"],
  read,
  gather: async () => {
    throw new Error("an evaluation reads in order");
  },
};
const artifacts = ["../freeze/frozen/step-00000010", "../freeze/frozen/step-00000020"];
for (const artifact of artifacts) await evaluateArtifact({ artifact, split, evaluations: "evaluations" });
const ranking = await rankArtifacts({ artifacts, evaluations: "evaluations", split: "heldout", metric: "accuracy" });
process.stdout.write(JSON.stringify(ranking));
`;
