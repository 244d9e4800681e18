import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { planOnnx } from "../src/emit/onnx/emit-onnx.js";
import { captureModel, optimize } from "../src/index.js";
import { makeInputs, randomizeWeights } from "./compare-model.js";
import { fixtureModels, imageModels } from "./fixture-models.js";
import { allFormats, expectClose, runFormat, toOutput } from "./run-formats.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("a captured model, emitted", () => {
  it.each(Object.entries(fixtureModels))("gives what the model gives, with %s", async (_, { make, indexLimit }) => {
    const model = make();
    randomizeWeights(model);
    const { graph } = captureModel(model);
    const optimized = optimize(graph);
    // A batch size that the capture did not probe with.
    const inputs = makeInputs(model, 5, indexLimit);
    const result = model.predict(inputs);
    const expected = (Array.isArray(result) ? result : [result]).map(toOutput);
    const feeds = Object.fromEntries(graph.inputs.map((input, index) => [input.name, inputs[index]!]));
    for (const format of allFormats) {
      expectClose(await runFormat(format, optimized, feeds), expected, 5e-6);
    }
  });

  it.each(Object.entries(imageModels))(
    "transposes images at its borders only, with %s",
    (_, { make, transposeCount }) => {
      const { writer } = planOnnx(optimize(captureModel(make()).graph));
      expect(writer.nodes.filter(({ op }) => op === "Transpose")).toHaveLength(transposeCount);
    },
  );
});
