import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { fromBinary } from "@bufbuild/protobuf";
import { digestBytes } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import * as ort from "onnxruntime-node";
import { expect, it, onTestFinished } from "vitest";

import { captureModel } from "../src/capture/capture-model.js";
import { emitOnnx, emitOnnxFiles } from "../src/emit/index.js";
import { ModelProtoSchema, TensorProto_DataLocation } from "../src/proto/gen/onnx/onnx_pb.js";
import { joinParts } from "../src/proto/split-message.js";
import { maxDifference, randomizeWeights } from "./compare-model.js";

/** Weights of 1,280,000 (two pages and more apart), 3,200, 320 and 40 bytes. */
function createModel(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [400], units: 800, useBias: false, name: "wide" }),
      tf.layers.dense({ units: 10, name: "narrow" }),
    ],
  });
  randomizeWeights(model);
  return model;
}

const options = { name: "test", dataFile: "model.onnx.data", maxModelBytes: 100_000 };

it("moves the weights of a model that is too large into a file that onnxruntime finds beside it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ckpt-graph-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tfModel = createModel();
  const { graph } = captureModel(tfModel);
  const { model, data } = emitOnnxFiles(graph, options);
  expect(joinParts(model).byteLength).toBeLessThan(3000);
  const path = join(folder, "model.onnx");
  await writeFile(path, model);
  await writeFile(join(folder, options.dataFile), data ?? "");
  const session = await ort.InferenceSession.create(path);
  const x = tf.randomNormal([3, 400], 0, 1, "float32", 7);
  const [input, output] = [graph.inputs[0]?.name ?? "", graph.outputs[0]?.name ?? ""];
  const results = await session.run({ [input]: new ort.Tensor("float32", await x.data(), x.shape) });
  await session.release();
  const found = tf.tensor(results[output]?.data as Float32Array, [3, 10]);
  expect(maxDifference(found, tfModel.predict(x) as tf.Tensor)).toBeLessThan(1e-4);
});

it("begins a large tensor on a page, leaves small ones in the model, and says where each is", () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [300], units: 400, useBias: false, name: "small" }),
      tf.layers.dense({ units: 800, useBias: false, name: "large" }),
      tf.layers.dense({ units: 1, name: "narrow" }),
    ],
  });
  const { model: parts, data = [] } = emitOnnxFiles(captureModel(model).graph, options);
  const tensors = fromBinary(ModelProtoSchema, joinParts(parts)).graph?.initializer ?? [];
  const external = tensors.filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);
  expect(
    external.map(({ name, externalData }) => [name].concat(externalData.map(({ key, value }) => `${key} ${value}`))),
  ).toEqual([
    ["small/kernel", "location model.onnx.data", "offset 0", "length 480000"],
    // 480,000 is no multiple of 4096.
    ["large/kernel", "location model.onnx.data", "offset 483328", "length 1280000"],
    ["narrow/kernel", "location model.onnx.data", "offset 1763328", "length 3200"],
  ]);
  expect(joinParts(data).byteLength).toBe(1_763_328 + 3200);
  expect(tensors.find(({ name }) => name === "narrow/bias")?.rawData).toHaveLength(4);
});

it("keeps everything in the model up to the limit, in the same bytes as without one", () => {
  const { graph } = captureModel(createModel());
  const whole = emitOnnx(graph, options);
  const kept = emitOnnxFiles(graph, { ...options, maxModelBytes: whole.byteLength });
  expect([digestBytes(joinParts(kept.model)), kept.data]).toEqual([digestBytes(whole), undefined]);
  const { model, data } = emitOnnxFiles(graph, { ...options, maxModelBytes: whole.byteLength - 1 });
  expect(joinParts(model).byteLength).toBeLessThan(whole.byteLength);
  expect(data).toBeDefined();
});
