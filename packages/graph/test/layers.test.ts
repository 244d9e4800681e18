import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureModel, optimize, validateGraph } from "../src/index.js";
import { compareFormat } from "./compare-formats.js";
import { compareWithModel, makeInputs, randomizeWeights, runModel } from "./compare-model.js";
import { activationNames } from "./layers/activation.js";
import { compositeCases } from "./layers/composite.js";
import type { LayerCase } from "./layers/layer-case.js";
import { layerCases } from "./layers/layer-cases.js";
import { allFormats } from "./run-formats.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const cases = Object.entries(layerCases).flatMap(([layer, list]) =>
  list.map((layerCase) => [`${layer} ${layerCase.note}`.trim(), layerCase] as const),
);
const frozen = cases.filter(([, { throws }]) => throws === undefined);
const composite = compositeCases.map((layerCase) => [layerCase.note, layerCase] as const);
const thrown = cases.filter(([, { throws }]) => throws !== undefined);

/** What `make` makes, or nothing where TensorFlow.js refuses. */
function attempt(make: () => unknown): unknown {
  try {
    return make();
  } catch {
    return undefined;
  }
}

describe("tfjs-layers", () => {
  it("has no function that makes a layer without a case here", () => {
    const made = new Map(
      Object.entries(tf.layers)
        .filter(([name]) => /^[a-z]/.test(name))
        .map(([name, make]) => [make as unknown, name.replace(/^avgPool(?:ing)?/, "averagePooling")]),
    );
    expect([...new Set(made.values())].toSorted()).toEqual(Object.keys(layerCases).toSorted());
  });

  it("has no registered layer that the cases do not use", () => {
    const built = new Set<string>(["LayersModel", "Functional", "Sequential", "Model", "RNN"]);
    const visit = (value: unknown): void => {
      if (value instanceof tf.layers.Layer && !built.has(`${value.getClassName()} ${value.name}`)) {
        built.add(`${value.getClassName()} ${value.name}`);
        built.add(value.getClassName());
        Object.values(value).flat().forEach(visit);
      }
    };
    for (const [, { build }] of cases) visit(attempt(build));
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    const missing = Object.entries(classNameMap).filter(
      ([name, [cls]]) => cls.prototype instanceof tf.layers.Layer && !built.has(name),
    );
    expect(missing.map(([name]) => name)).toEqual([]);
  });

  it("has no activation without a case here", () => {
    // Layers, initializers and the rest are registered with a capital letter.
    const names = Object.keys(tf.serialization.SerializationMap.getMap().classNameMap);
    expect(names.filter((name) => /^[a-z]/.test(name)).toSorted()).toEqual([...activationNames].toSorted());
  });

  it.each(thrown)("does not compute %s itself", (_, { build, indexLimit, throws }) => {
    const run = (): unknown => {
      const model = build();
      return runModel(model, makeInputs(model, 2, indexLimit));
    };
    expect(run).toThrow(throws);
  });
});

describe("a captured layer computes what the layer computes", () => {
  it.each(frozen)("%s", async (_, layerCase) => {
    await check(layerCase);
  });

  it.each(composite)("in a model with %s", async (_, layerCase) => {
    await check(layerCase);
  });
});

async function check({ build, indexLimit, corrected, refused = {} }: LayerCase): Promise<void> {
  const model = build();
  randomizeWeights(model);
  const reasons = new Set<string>();
  runModel(model, makeInputs(model, 2, indexLimit), (reason) => reasons.add(reason));
  expect([...reasons].join()).toContain(corrected ?? "");
  expect(reasons.size).toBe(corrected === undefined ? 0 : 1);

  const { graph } = captureModel(model);
  expect(compareWithModel(graph, model, indexLimit)).toBeLessThanOrEqual(1e-6);
  const optimized = optimize(graph);
  validateGraph(optimized);
  expect(compareWithModel(optimized, model, indexLimit)).toBeLessThanOrEqual(2e-6);
  for (const format of allFormats) {
    const comparison = compareFormat(format, optimized, model, indexLimit);
    const reason = refused[format];
    if (reason === undefined) await comparison;
    else await expect(comparison).rejects.toThrow(reason);
  }
  model.dispose();
}
