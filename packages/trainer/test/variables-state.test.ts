import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { TensorSpec } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import {
  createCheckpointer,
  createVariablesState,
  everySteps,
  loadCheckpointModel,
  openRun,
  type VariablesStateOptions,
} from "../src/index.js";
import { type OptimizerName, optimizers, readRunFiles, takeCopy } from "./fixture.js";
import { makeTestFolder } from "./test-folder.js";

const inputs: readonly TensorSpec[] = [{ name: "x", dtype: "float32", shape: [null, 4] }];
const optimizerNames = Object.keys(optimizers) as OptimizerName[];

interface OwnModel {
  /** `unused` is given to the optimizer and never gets a gradient. */
  readonly variables: Readonly<Record<"bias" | "unused" | "kernel" | "count", tf.Variable>>;
  /** In another order than `variables` has. */
  readonly trained: readonly tf.Variable[];
  readonly predict: (inputs: tf.NamedTensorMap) => tf.Tensor;
}

function createOwnModel(): OwnModel {
  const kernel = tf.variable(tf.linspace(-1, 1, 12).reshape([4, 3]));
  const bias = tf.variable(tf.zeros([3]));
  const unused = tf.variable(tf.ones([2, 2]));
  const count = tf.variable(tf.scalar(0, "int32"), false);
  return {
    variables: { bias, unused, kernel, count },
    trained: [kernel, unused, bias],
    predict: ({ x }) => tf.softmax(tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias)),
  };
}

function trainStep({ variables, trained, predict }: OwnModel, optimizer: tf.Optimizer, hasList = true): void {
  tf.tidy(() => {
    const step = variables.count.dataSync()[0] ?? 0;
    const x = tf.sin(tf.range(step, step + 24)).reshape([6, 4]);
    const y = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], "int32"), 3);
    optimizer.minimize(() => tf.losses.logLoss(y, predict({ x })), false, hasList ? [...trained] : undefined);
    variables.count.assign(tf.scalar(step + 1, "int32"));
  });
}

function readVariables({ variables }: OwnModel): readonly (readonly number[])[] {
  return Object.values(variables).map((variable) => Array.from(variable.dataSync()));
}

function dispose(...models: readonly OwnModel[]): void {
  for (const { variables } of models) tf.dispose(Object.values(variables));
}

describe("createVariablesState", () => {
  it.each(optimizerNames.flatMap((name) => [[name, true] as const, [name, false] as const]))(
    "resumes a loop with %s bit for bit (list of variables: %s)",
    async (name, hasList) => {
      const folder = await makeTestFolder();
      const trainTo = async (run: string, stops: readonly number[]): Promise<readonly (readonly number[])[]> => {
        let values: readonly (readonly number[])[] = [];
        for (const [index, lastStep] of stops.entries()) {
          const model = createOwnModel();
          const optimizer = optimizers[name]();
          const checkpointer = await createCheckpointer({
            run: await openRun({ path: join(folder, run), name: "own", isResuming: index > 0 }),
            model: createVariablesState({ ...model, optimizer, inputs }),
            save: everySteps(4),
          });
          while (checkpointer.position.step < lastStep) {
            trainStep(model, optimizer, hasList);
            await checkpointer.step();
          }
          await checkpointer.finish(index === stops.length - 1 ? "completed" : "stopped");
          values = readVariables(model);
          dispose(model);
          optimizer.dispose();
        }
        return values;
      };
      const whole = await trainTo("whole", [17]);
      expect(whole[0]).not.toEqual([0, 0, 0]);
      expect(whole[1]).toEqual([1, 1, 1, 1]);
      expect(whole[3]).toEqual([17]);
      expect(await trainTo("parts", [3, 4, 9, 17])).toEqual(whole);
      expect(await readRunFiles(join(folder, "parts"))).toEqual(await readRunFiles(join(folder, "whole")));
    },
  );

  it("leaves no tensors behind", async () => {
    const model = createOwnModel();
    const optimizer = optimizers.adam();
    trainStep(model, optimizer);
    const before = tf.memory().numTensors;
    const state = createVariablesState({ ...model, optimizer, inputs });
    for (let i = 0; i < 3; i++) await state.restore(await takeCopy(state), "here");
    expect(tf.memory().numTensors).toBe(before);
    dispose(model);
    optimizer.dispose();
  });

  it("writes weights that plain tf.io reads by name", async () => {
    const model = createOwnModel();
    const checkpointer = await createCheckpointer({
      run: await openRun({ path: join(await makeTestFolder(), "run") }),
      model: createVariablesState({ ...model, inputs }),
      save: everySteps(1),
    });
    await checkpointer.step();
    await checkpointer.finish("completed");
    const saved = checkpointer.latest();
    const folder = saved?.path ?? "";
    const { format, weightsManifest } = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as {
      readonly format: string;
      readonly weightsManifest: tf.io.WeightsManifestConfig;
    };
    expect(format).toBe("variables");
    const bytes = Uint8Array.from(await readFile(join(folder, "weights.bin")));
    const decoded = tf.io.decodeWeights(bytes.buffer, weightsManifest[0]?.weights ?? []);
    expect(Object.keys(decoded)).toEqual(["bias", "unused", "kernel", "count"]);
    expect(Object.values(decoded).map((tensor) => Array.from(tensor.dataSync()))).toEqual(readVariables(model));
    expect(saved?.manifest.signature).toEqual({
      inputs,
      outputs: [{ name: "output", dtype: "float32", shape: [null, 3] }],
    });
    await expect(loadCheckpointModel(folder)).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      details: { reason: expect.stringContaining("written by hand") },
    });
    dispose(model);
  });

  it.each<[string, VariablesStateOptions["predict"], readonly TensorSpec[]]>([
    [
      "a list",
      ({ x }) => [tf.sum(x as tf.Tensor), tf.greater(x as tf.Tensor, 0)],
      [
        { name: "output_0", dtype: "float32", shape: [] },
        { name: "output_1", dtype: "bool", shape: [null, 4] },
      ],
    ],
    [
      "named ones",
      ({ x }) => ({ scores: tf.reshape(x as tf.Tensor, [-1, 2, 2]), best: tf.argMax(x as tf.Tensor, 1) }),
      [
        { name: "scores", dtype: "float32", shape: [null, 2, 2] },
        { name: "best", dtype: "int32", shape: [null] },
      ],
    ],
  ])("finds the outputs of a predict that gives %s", async (_name, predict, outputs) => {
    const variables = { a: tf.variable(tf.zeros([1])) };
    const before = tf.memory().numTensors;
    const { signature } = await createVariablesState({ variables, predict, inputs }).snapshot();
    expect(signature).toEqual({ inputs, outputs });
    expect(tf.memory().numTensors).toBe(before);
    variables.a.dispose();
  });

  it.each<[string, object, string]>([
    ["no variables", { variables: {} }, "variables"],
    [
      "a predict that throws",
      { predict: () => tf.matMul(tf.zeros([1, 2]), tf.zeros([3, 1])) },
      "an error: Error in matMul",
    ],
    ["an asynchronous predict", { predict: async () => tf.zeros([1]) }, "not asynchronous"],
    ["a predict without outputs", { predict: () => ({}) }, "at least one output"],
    ["a predict that returns numbers", { predict: () => ({ a: 1 }) }, "returns tensors"],
    ["a predict that returns nothing", { predict: () => undefined }, "returns tensors"],
  ])("refuses %s", (_name, change, message) => {
    const variables = { a: tf.variable(tf.zeros([1])) };
    const before = tf.memory().numTensors;
    const options = { variables, predict: () => tf.zeros([1]), inputs, ...change };
    expect(() => createVariablesState(options)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
    variables.a.dispose();
  });

  it("refuses other variables or another optimizer, and changes nothing", async () => {
    const model = createOwnModel();
    const optimizer = optimizers.adam();
    trainStep(model, optimizer);
    const state = createVariablesState({ ...model, optimizer, inputs });
    const snapshot = await takeCopy(state);
    const before = readVariables(model);
    const [first, ...rest] = snapshot.weights;
    if (first === undefined || snapshot.optimizer === undefined) throw new TypeError("nothing was read");
    const slots = snapshot.optimizer.slots.slice(1);
    const cases = [
      [
        { ...snapshot, weights: rest },
        { weight: "bias", expected: "no variable of this name" },
      ],
      [{ ...snapshot, weights: [...snapshot.weights, { ...first, name: "toString" }] }, { weight: "toString" }],
      [
        { ...snapshot, weights: [{ ...first, shape: [1, 3] }, ...rest] },
        { weight: "bias", found: "float32 [3]" },
      ],
      [{ ...snapshot, weights: [{ ...first, dtype: "int32" as const }, ...rest] }, { expected: "int32 [3]" }],
      [{ weights: snapshot.weights }, { weight: "optimizer" }],
      [{ ...snapshot, optimizer: { ...snapshot.optimizer, className: "SGD" } }, { weight: "optimizer" }],
      [
        {
          ...snapshot,
          optimizer: {
            ...snapshot.optimizer,
            slots: [{ ...first, slot: "m", variable: "bias", shape: [4] }, ...slots],
          },
        },
        { expected: "float32 [4]", found: "float32 [3]" },
      ],
    ] as const;
    for (const [changed, details] of cases) {
      await expect(state.restore(changed, "here")).rejects.toMatchObject({ code: "WEIGHTS_MISMATCH", details });
    }
    expect(readVariables(model)).toEqual(before);
    dispose(model);
    optimizer.dispose();
  });

  it("refuses to save an optimizer that trains a variable it was not told of", async () => {
    const model = createOwnModel();
    const optimizer = optimizers.adam();
    trainStep(model, optimizer);
    const { unused: _unused, ...variables } = model.variables;
    const state = createVariablesState({ ...model, variables, optimizer, inputs });
    await expect(state.snapshot()).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option: "optimizer", found: expect.stringContaining(`${model.variables.unused.name}/m`) },
    });
    dispose(model);
    optimizer.dispose();
  });
});
