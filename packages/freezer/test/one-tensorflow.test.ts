import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

// In a process of its own: the tests' runner resolves packages in its own way.
it("has one TensorFlow.js with a program that imports it", async () => {
  const script = `
    import { capture } from "@ckpt/freezer";
    import * as tf from "@tensorflow/tfjs";
    const model = tf.sequential({ layers: [tf.layers.dense({ name: "score", units: 2, inputShape: [3] })] });
    const { weights } = capture(model);
    console.log(JSON.stringify(weights.map(({ key }) => key)));`;
  const loader = join(import.meta.dirname, "../../../scripts/register-typescript.mjs");
  const given = ["--conditions=@ckpt/source", "--import", loader, "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, given, { cwd: import.meta.dirname });
  expect(JSON.parse(stdout)).toEqual(["score/kernel", "score/bias"]);
});
