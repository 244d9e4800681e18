import { join } from "node:path";

import { capture, readWeights } from "@ckpt/freezer";
import { checkpointPath } from "@ckpt/manifest";
import { createCheckpointer, createVariablesState, everySteps, openRun } from "@ckpt/trainer";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, it } from "vitest";

import { createFolder, removeProjects } from "./project.js";
import { runCkpt } from "./run-ckpt.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterAll(removeProjects);

it("freezes what the trainer has saved of a model written by hand, by its predict function", async () => {
  const folder = await createFolder();
  const run = join(folder, "run");
  const kernel = tf.variable(tf.linspace(-1, 1, 12).reshape([4, 3]));
  const bias = tf.variable(tf.zeros([3]));
  const model = {
    variables: { kernel, bias },
    predict: ({ x }: tf.NamedTensorMap) => ({
      classes: tf.softmax(tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias)),
    }),
    inputs: [{ name: "x", dtype: "float32", shape: [null, 4] }] as const,
  };
  const checkpointer = await createCheckpointer({
    run: await openRun({ path: run }),
    model: createVariablesState(model),
    save: everySteps(1),
  });
  for (let step = 1; step <= 2; step++) {
    bias.assign(tf.mul(tf.range(0, 3), step));
    await checkpointer.step();
  }
  await checkpointer.finish();

  const template = capture(model);
  for (const step of [1, 2]) {
    const weights = await readWeights(checkpointPath(run, step));
    expect([...(weights.get("bias")?.values ?? [])]).toEqual([0, step, 2 * step]);
    const { manifest, unverified } = await template.bind(weights).write(join(folder, `frozen-${step}`));
    expect(unverified).toEqual([]);
    expect(manifest.parity).toHaveLength(4);
    expect(manifest.signature.outputs).toEqual([{ name: "classes", dtype: "float32", shape: [null, 3] }]);
  }
  const { code, stderr } = await runCkpt(["freeze", "run"], { cwd: folder });
  expect(code).toBe(3);
  expect(stderr).toContain("capture({ variables, predict, inputs })");
  tf.dispose(Object.values(model.variables));
});
