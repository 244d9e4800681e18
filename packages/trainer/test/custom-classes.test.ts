import { readFile } from "node:fs/promises";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { everySteps, loadCheckpointModel, train, type TrainOptions } from "../src/index.js";
import { data, disposeModels, readRunFiles, readWeights } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

/** Multiplies each feature by a learned scale, and counts its training calls in a weight that is not trained. */
class CountingScale extends tf.layers.Layer {
  static readonly className = "CountingScale";
  readonly power: number;
  private scale?: tf.LayerVariable;
  private calls?: tf.LayerVariable;

  constructor(config: { readonly power: number; readonly name?: string }) {
    super(config);
    this.power = config.power;
  }

  override build(shape: tf.Shape): void {
    this.scale = this.addWeight("scale", [shape.at(-1) ?? 1], "float32", tf.initializers.ones());
    this.calls = this.addWeight("calls", [], "float32", tf.initializers.zeros(), undefined, false);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { readonly training?: boolean }): tf.Tensor {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    const { scale, calls } = this;
    if (x === undefined || scale === undefined || calls === undefined) throw new TypeError("not built");
    return tf.tidy(() => {
      if (kwargs.training === true) calls.write(tf.add(calls.read(), 1));
      return tf.mul(x, tf.pow(scale.read(), this.power));
    });
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), power: this.power };
  }
}
tf.serialization.registerClass(CountingScale);

/** Grows with the logarithm of a large error. */
function logCosh(labels: tf.Tensor, scores: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mean(tf.log(tf.cosh(tf.sub(scores, labels))), -1));
}

function createCustomModel(): tf.LayersModel {
  const model = tf.sequential({
    name: "custom",
    layers: [
      tf.layers.dense({ name: "hidden", units: 5, activation: "tanh", inputShape: [4] }),
      new CountingScale({ name: "counting", power: 3 }),
      tf.layers.dropout({ name: "drop", rate: 0.2 }),
      tf.layers.dense({ name: "out", units: 1 }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.02), loss: logCosh });
  return model;
}

describe("a model with a layer and a loss of the user's own", () => {
  it("is saved, resumed bit for bit, and loaded", async () => {
    const folder = await makeTestFolder();
    const options: Omit<TrainOptions, "run"> = {
      name: "custom",
      model: createCustomModel,
      data,
      epochs: 3,
      batchSize: 16,
      measureEverySteps: 3,
      save: everySteps(4),
      seed: 11,
    };
    const outcome = await train({ ...options, run: join(folder, "whole") });
    const whole = await readRunFiles(join(folder, "whole"));
    for (const stop of [2, 5, 9]) {
      const run = join(folder, String(stop));
      const controller = new AbortController();
      const onProgress: TrainOptions["onProgress"] = ({ kind, step }) => {
        if (kind === "step" && step === stop) controller.abort();
      };
      await train({ ...options, run, signal: controller.signal, onProgress });
      await train({ ...options, run, isResuming: true });
      expect(await readRunFiles(run)).toEqual(whole);
    }

    const last = outcome.checkpoints.at(-1)?.path ?? "";
    const loaded = await loadCheckpointModel(last);
    const calls = loaded.layers[1]?.getWeights()[1]?.dataSync()[0];
    // Once an update; measuring does not count.
    expect(calls).toBe(12);
    const text = await readFile(join(last, "model.json"), "utf8");
    expect(text).toContain('"class_name":"CountingScale"');
    expect(text).not.toContain("trainingConfig");
    const x = tf.linspace(-1, 1, 8).reshape([2, 4]);
    const expected = createCustomModel();
    expected.setWeights(loaded.getWeights());
    const [a, b] = [loaded, expected].map((model) => Array.from((model.predict(x) as tf.Tensor).dataSync()));
    expect(a).toEqual(b);
    expect(readWeights(loaded).some((value) => value !== 0 && value !== 1)).toBe(true);
    x.dispose();
    loaded.dispose();
    disposeModels(expected);
  });
});
