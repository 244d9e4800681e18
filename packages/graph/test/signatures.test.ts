import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { captureModel } from "../src/capture/capture-model.js";
import {
  bindSignatures,
  convertGraphDefToGraphModel,
  emitGraphDef,
  emitSavedModel,
  parseSavedModel,
} from "../src/emit/index.js";
import { maxDifference, randomizeWeights } from "./compare-model.js";

/** One encoder with two heads; the second needs another input besides. */
function createModel(): tf.LayersModel {
  const image = tf.input({ shape: [6], name: "image" });
  const hint = tf.input({ shape: [2], name: "hint" });
  const embedding = tf.layers.dense({ units: 4, activation: "tanh", name: "embed" }).apply(image) as tf.SymbolicTensor;
  const joined = tf.layers.concatenate().apply([embedding, hint]) as tf.SymbolicTensor;
  const classes = tf.layers.dense({ units: 3, activation: "softmax", name: "classes" }).apply(joined);
  const model = tf.model({ inputs: [image, hint], outputs: [embedding, classes as tf.SymbolicTensor] });
  randomizeWeights(model);
  return model;
}

async function runSignature(bytes: Uint8Array, key: string, feeds: tf.NamedTensorMap): Promise<tf.Tensor> {
  const { graphDef, signature } = parseSavedModel(bytes, "saved_model.pb", key);
  expect(signature.inputs.map(({ name }) => name)).toEqual(Object.keys(feeds));
  const model = await tf.loadGraphModel(tf.io.fromMemory(convertGraphDefToGraphModel(graphDef, signature)));
  return model.predict(feeds) as tf.Tensor;
}

describe("several signatures of one SavedModel", () => {
  it("share the graph, and each has the inputs that its outputs need", async () => {
    const model = createModel();
    const { graph } = captureModel(model);
    const [embed = "", classes = ""] = graph.outputs.map(({ name }) => name);
    const signatures = bindSignatures(graph, { serving_default: { outputs: [classes] }, embed: { outputs: [embed] } });
    const graphDef = emitGraphDef(graph);
    const bytes = emitSavedModel(graphDef, signatures);
    const parsed = parseSavedModel(bytes);
    expect(parsed.signatureKeys).toEqual(["embed", "serving_default"]);
    expect(parsed.signature).toEqual(signatures["serving_default"]);
    expect(parsed.graphDef.node.map(({ name }) => name)).toEqual(graphDef.node.map(({ name }) => name));

    const image = tf.randomNormal([5, 6], 0, 1, "float32", 3);
    const hint = tf.randomNormal([5, 2], 0, 1, "float32", 4);
    const [expectedEmbedding, expectedClasses] = model.predict([image, hint]) as [tf.Tensor, tf.Tensor];
    expect(maxDifference(await runSignature(bytes, "embed", { image }), expectedEmbedding)).toBeLessThan(1e-6);
    expect(maxDifference(await runSignature(bytes, "serving_default", { image, hint }), expectedClasses)).toBeLessThan(
      1e-6,
    );
    const { serving_default: first, embed: second } = signatures;
    expect(emitSavedModel(graphDef, { embed: second!, serving_default: first! })).toEqual(bytes);
  });

  it("refuses outputs that the graph does not have, and none at all", () => {
    const { graph } = captureModel(createModel());
    const refused = expect.objectContaining({ code: "INVALID_OPTION" });
    expect(() => bindSignatures(graph, { embed: { outputs: ["unheard"] } })).toThrow(refused);
    expect(() => bindSignatures(graph, { embed: { outputs: [] } })).toThrow(refused);
  });

  it("says which there are when asked for another", () => {
    const { graph } = captureModel(createModel());
    const outputs = graph.outputs.map(({ name }) => name);
    const bytes = emitSavedModel(emitGraphDef(graph), bindSignatures(graph, { embed: { outputs } }));
    expect(() => parseSavedModel(bytes)).toThrow("no signature serving_default; there are: embed");
  });
});
