import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";

import {
  bindSignature,
  captureModel,
  emitGraphDef,
  emitOnnx,
  emitSavedModel,
  optimize,
  serializeGraphDef,
} from "../src/index.js";
import { makeInputs, randomizeWeights } from "../test/compare-model.js";
import { fixtureModels } from "../test/fixture-models.js";

// Writes the formats of every fixture model below a folder, each with what TensorFlow.js makes of some inputs, for
// scripts/interop/compare_fixtures.py: `write-interop-fixtures.ts <folder>`.

/** None of them is a size that the capture uses. */
const batchSizes = [1, 5, 17];

function describe(tensor: tf.Tensor): { dtype: string; shape: number[]; values: number[] } {
  return { dtype: tensor.dtype, shape: tensor.shape, values: Array.from(tensor.dataSync()) };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new TypeError("Name a folder.");
await tf.setBackend("cpu");
for (const [name, { make, indexLimit }] of Object.entries(fixtureModels)) {
  const model = make();
  randomizeWeights(model);
  const { graph: captured, signature } = captureModel(model);
  const graph = optimize(captured);
  const cases = batchSizes.map((batchSize) => {
    const inputs = makeInputs(model, batchSize, indexLimit);
    const result = model.predict(inputs, { batchSize });
    return { inputs: inputs.map(describe), outputs: (Array.isArray(result) ? result : [result]).map(describe) };
  });
  const target = join(folder, name.replaceAll(/[^a-zA-Z0-9]+/g, "-"));
  mkdirSync(join(target, "saved-model"), { recursive: true });
  const graphDef = emitGraphDef(graph);
  const bound = bindSignature(graph);
  writeFileSync(join(target, "frozen.pb"), serializeGraphDef(graphDef));
  writeFileSync(join(target, "saved-model", "saved_model.pb"), emitSavedModel(graphDef, { serving_default: bound }));
  writeFileSync(join(target, "model.onnx"), emitOnnx(graph, { name: "fixture" }));
  writeFileSync(join(target, "fixture.json"), JSON.stringify({ name, signature, bound, cases }));
  tf.disposeVariables();
}
