import { captureModel, type Graph } from "@ckpt/graph";
import type * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { createDenseModel, createNestedModel } from "../test/models.js";
import { bindSavedWeights } from "./bind-saved-weights.js";
import type { SavedWeight } from "./saved-weights.js";

/** Weights of a model by the names under which `model.save` writes them. */
function readSavedWeights(
  model: tf.LayersModel,
  rename: (name: string) => string = (name) => name,
): ReadonlyMap<string, SavedWeight> {
  return new Map(
    model.weights.map(({ originalName }, index) => {
      const name = rename(originalName);
      const { dtype = "float32", shape = [] } = model.getWeights()[index] ?? {};
      const values = Float32Array.from(model.getWeights()[index]?.dataSync() ?? []);
      return [name, { name, dtype, shape, values }];
    }),
  );
}

/** Values of the weights in a bound graph by their keys. */
function readBoundWeights({ nodes }: Graph): Record<string, readonly number[]> {
  return Object.fromEntries(
    nodes.flatMap(({ constant }) =>
      constant?.weight === undefined ? [] : [[constant.weight, Array.from(constant.values)]],
    ),
  );
}

describe("bindSavedWeights", () => {
  it("gives each weight of a nested model its own values, those of a layer called twice once", () => {
    const model = createNestedModel();
    const template = captureModel(model);
    const bound = readBoundWeights(bindSavedWeights(template, readSavedWeights(model), "model.json"));

    expect(Object.keys(bound)).toHaveLength(10);
    expect(new Set(Object.values(bound).map((values) => values.join())).size).toBe(10);
    for (const { key, savedName } of template.weights) {
      const index = model.weights.findIndex(({ originalName }) => originalName === savedName);
      expect(bound[key]).toEqual(Array.from(model.getWeights()[index]?.dataSync() ?? []));
    }
  });

  it("finds weights under Keras names that have the cell's name in them", () => {
    const model = createDenseModel();
    const template = captureModel(model);
    const saved = readSavedWeights(model, (name) => name.replace("/", "/dense_cell/"));

    expect([...saved.keys()]).toContain("hidden/dense_cell/kernel");
    expect(bindSavedWeights(template, saved, "model.json")).toEqual(
      bindSavedWeights(template, readSavedWeights(model), "model.json"),
    );
  });

  it("names the weight that is missing, and the file", () => {
    const model = createDenseModel();
    const saved = new Map(readSavedWeights(model));
    saved.delete("classes/bias");

    expect(() => bindSavedWeights(captureModel(model), saved, "run/step/model.json")).toThrow(
      "run/step/model.json: weight classes/bias: expected float32 [10], found nothing",
    );
  });

  it("names a weight of another shape", () => {
    const model = createDenseModel();
    const saved = new Map(readSavedWeights(model));
    const bias = { name: "classes/bias", dtype: "float32", shape: [2], values: new Float32Array(2) };
    saved.set("classes/bias", bias);

    expect(() => bindSavedWeights(captureModel(model), saved, "model.json")).toThrow(/expected float32 \[10\], found/);
  });
});
