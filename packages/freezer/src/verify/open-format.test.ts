import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { captureModel, emitOnnxFiles } from "@ckpt/graph";
import * as tf from "@tensorflow/tfjs";
import { expect, it } from "vitest";

import { createTemporaryFolder } from "../../test/folders.js";
import { createDenseModel } from "../../test/models.js";
import { openFormat } from "./open-format.js";

it("runs an ONNX model whose weights are in a file beside it", async () => {
  const model = createDenseModel();
  const { graph, signature } = captureModel(model);
  const folder = await createTemporaryFolder();
  const files = emitOnnxFiles(graph, { name: "model", dataFile: "model.onnx.data", maxModelBytes: 1000 });
  expect(files.data?.reduce((sum, part) => sum + part.byteLength, 0)).toBe(64 * 16 * 4);
  await writeFile(join(folder, "model.onnx"), files.model);
  await writeFile(join(folder, "model.onnx.data"), files.data ?? "");

  const runner = await openFormat("onnx", { folder, signature, graph, choice: {} });
  if ("reason" in runner) throw new Error(runner.reason);
  const x = tf.randomNormal([3, 64], 0, 1, "float32", 5);
  const [found] = await runner.run([{ data: await x.data<"float32">(), shape: [3, 64] }]);
  await runner.dispose();
  const expected = await (model.predict(x) as tf.Tensor).data();
  const errors = expected.map((value, at) => Math.abs(value - (found?.data[at] ?? Number.NaN)));
  expect(Math.max(...errors)).toBeLessThan(1e-5);
});
