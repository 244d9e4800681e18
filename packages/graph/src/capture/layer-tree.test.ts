import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { listLayers, listWeights } from "./layer-tree.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** Applies two dense layers, which no topology knows of. */
class Block extends tf.layers.Layer {
  static readonly className = "Block";
  readonly inner: tf.layers.Layer = layers.dense({ units: 3 });
  readonly more: tf.layers.Layer[] = [layers.dense({ units: 3 })];

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.more[0]!.apply(this.inner.apply(inputs)) as tf.Tensor;
  }
}

function buildBlock(): tf.LayersModel {
  const block = new Block({ name: "block" });
  const input = tf.input({ shape: [3] });
  const model = tf.model({ inputs: input, outputs: block.apply(input) as tf.SymbolicTensor });
  tf.tidy(() => block.apply(tf.zeros([1, 3])) as tf.Tensor);
  return model;
}

const keys = (model: tf.LayersModel): string[] => listWeights(listLayers(model)).map((weight) => weight.key);

async function reload(model: tf.LayersModel): Promise<tf.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: (saved) => {
      artifacts = saved;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    },
  });
  return tf.loadLayersModel(tf.io.fromMemory(artifacts!));
}

describe("weight keys", () => {
  it("are the layer's path and the weight's name", () => {
    const inner = tf.sequential({
      name: "encoder",
      layers: [layers.dense({ units: 2, inputShape: [3], name: "dense" })],
    });
    const model = tf.sequential({ layers: [inner, layers.batchNormalization({ name: "norm" })] });
    expect(keys(model)).toEqual([
      "encoder/dense/kernel",
      "encoder/dense/bias",
      "norm/gamma",
      "norm/beta",
      "norm/moving_mean",
      "norm/moving_variance",
    ]);
  });

  it("are the same for every build of a model with named layers", () => {
    const [first, second] = ["a", "b"].map((name) =>
      tf.sequential({ name, layers: [layers.dense({ units: 2, inputShape: [3], name: "only" })] }),
    );
    expect(first!.weights.map((weight) => weight.name)).not.toEqual(second!.weights.map((weight) => weight.name));
    expect(keys(second!)).toEqual(keys(first!));
  });

  it("survive saving and loading, also where the layers had no names", async () => {
    const model = tf.sequential({
      layers: [layers.dense({ units: 4, inputShape: [3] }), layers.batchNormalization(), layers.dense({ units: 2 })],
    });
    const loaded = await reload(model);
    expect(keys(loaded)).toEqual(keys(model));
    expect(keys(loaded)[0]).toBe(`${model.layers[0]!.name}/kernel`);
    const savedNames = listWeights(listLayers(loaded)).map((weight) => weight.savedName);
    expect(savedNames.toSorted()).toEqual(model.weights.map((weight) => weight.originalName).toSorted());
  });

  it("go by property for layers inside a layer, whose names are made up anew each time", () => {
    const expected = ["block/inner/kernel", "block/inner/bias", "block/more/0/kernel", "block/more/0/bias"];
    expect([keys(buildBlock()), keys(buildBlock())]).toEqual([expected, expected]);
  });

  it("tell the directions of a bidirectional layer apart", () => {
    const both = layers.bidirectional({
      layer: layers.simpleRNN({ units: 2 }),
      mergeMode: "concat",
      name: "both",
    });
    const input = tf.input({ shape: [2, 3] });
    const found = keys(tf.model({ inputs: input, outputs: both.apply(input) as tf.SymbolicTensor }));
    expect(new Set(found).size).toBe(6);
    expect(found).toContain("both/backwardLayer/cell/recurrent_kernel");
  });

  it("list a shared layer once", () => {
    const shared = layers.dense({ units: 2, name: "shared" });
    const inputs = [tf.input({ shape: [2] }), tf.input({ shape: [2] })];
    const outputs = inputs.map((input) => shared.apply(input) as tf.SymbolicTensor);
    expect(keys(tf.model({ inputs, outputs }))).toEqual(["shared/kernel", "shared/bias"]);
  });
});
