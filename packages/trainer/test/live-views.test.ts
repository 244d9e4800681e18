import { selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createLayersModelState } from "../src/layers-model-state.js";
import type { NamedArray } from "../src/named-array.js";
import { toTensor, viewTensor } from "../src/tensor-array.js";
import type { StateSnapshot } from "../src/training-state.js";
import { createModel, data, disposeModels, toTensors } from "./fixture.js";

function listArrays({ weights, optimizer }: StateSnapshot): readonly NamedArray[] {
  return [...weights, ...(optimizer?.slots ?? []), ...(optimizer?.scalars ?? [])];
}

describe.each(["cpu", "wasm"] as const)("a snapshot on the %s backend", (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });
  // The files of a worker share one TensorFlow.js.
  afterAll(() => tf.setBackend("cpu"));

  it("is made of views of what training works in", async () => {
    const model = createModel("adam");
    const { x, y } = await toTensors(data.train);
    await model.trainOnBatch(x, y);
    const state = createLayersModelState(model);
    const arrays = listArrays(await state.snapshot());
    const before = arrays.map((array) => array.data.slice());
    expect(arrays.length).toBe(8 + 2 * 6 + 2);
    for (const { data: values } of arrays) values.fill(0.25);
    const changed = listArrays(await state.snapshot());
    expect(changed.flatMap((array) => Array.from(array.data)).every((value) => value === 0.25)).toBe(true);
    expect(changed.map((array) => array.data.length)).toEqual(before.map((values) => values.length));
    expect([...(model.layers[0]?.getWeights()[0]?.dataSync() ?? [])].every((value) => value === 0.25)).toBe(true);
    tf.dispose([x, y]);
    disposeModels(model);
  });

  it("reads the values that all tensors have at one moment", async () => {
    const model = createModel("adam");
    const { x, y } = await toTensors(data.train);
    await model.trainOnBatch(x, y);
    const state = createLayersModelState(model);
    const reading = state.snapshot();
    const expected = model.getWeights().map((weight) => Array.from(weight.dataSync()));
    expect((await reading).weights.map((array) => Array.from(array.data))).toEqual(expected);
    tf.dispose([x, y]);
    disposeModels(model);
  });

  it("reads what an assignment put there, and adds no tensor and no memory", async () => {
    const variable = tf.variable(tf.zeros([3]));
    variable.assign(tf.tensor([1, 2, 3]));
    const before = tf.memory();
    const { data: values } = await viewTensor("a", variable);
    expect([...values]).toEqual([1, 2, 3]);
    expect(values.buffer.byteLength).toBeGreaterThan(0);
    expect(tf.memory()).toEqual(before);
    variable.dispose();
  });

  it.each(["float32", "int32", "bool"] as const)(
    "gives %s as one array type, whatever the tensor was cast from",
    async (dtype) => {
      for (const source of ["float32", "int32", "bool"] as const) {
        const tensor = tf.tensor([1, 0, 1, 1], [2, 2], source).cast(dtype);
        const array = await viewTensor("a", tensor);
        expect(array).toMatchObject({ name: "a", dtype, shape: [2, 2] });
        const type = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
        expect(array.data).toBeInstanceOf(type);
        expect(Array.from(array.data)).toEqual([1, 0, 1, 1]);
      }
      const compared = await viewTensor("b", tf.greater(tf.tensor([1, 5]), 3));
      expect(compared.data).toEqual(Uint8Array.of(0, 1));
    },
  );

  it("refuses strings", async () => {
    await expect(viewTensor("odd", tf.tensor(["a"]))).rejects.toMatchObject({
      code: "UNSUPPORTED_DTYPE",
      details: { where: "odd", dtype: "string" },
    });
  });

  it("makes tensors that do not change with the array they came from", () => {
    const array: NamedArray = { name: "a", dtype: "float32", shape: [2], data: Float32Array.of(1, 2) };
    const tensor = toTensor(array);
    array.data.fill(9);
    expect([...tensor.dataSync()]).toEqual([1, 2]);
    tensor.dispose();
  });
});

describe("a tensor of a backend that is not the current one", () => {
  it("is read, and stays where it is", async () => {
    await selectBackend("wasm");
    const tensor = tf.tensor([1, 2]);
    await tf.setBackend("cpu");
    expect([...(await viewTensor("a", tensor)).data]).toEqual([1, 2]);
    tensor.dispose();
  });
});

describe("the model.json fields of a snapshot", () => {
  it("stay the same object until something in them changes", async () => {
    const model = createModel("adam");
    const state = createLayersModelState(model);
    const read = async (): Promise<StateSnapshot["model"]> => (await state.snapshot()).model;
    const { x, y } = await toTensors(data.train);
    await model.trainOnBatch(x, y);
    const first = await read();
    await model.trainOnBatch(x, y);
    expect(await read()).toBe(first);

    Object.assign(model.optimizer, { learningRate: 0.5 });
    const slower = await read();
    expect(slower).not.toBe(first);
    expect(slower["modelTopology"]).toBe(first["modelTopology"]);
    expect(slower["trainingConfig"]).toMatchObject({ optimizer_config: { config: { learningRate: 0.5 } } });

    for (const change of [{ trainable: false }, { rate: 0.75 }]) {
      const before = await read();
      Object.assign(model.layers[2] ?? {}, change);
      const after = await read();
      expect(after["modelTopology"]).not.toBe(before["modelTopology"]);
      expect(after["modelTopology"]).toEqual(model.toJSON(null, false));
    }
    expect(JSON.stringify((await read())["modelTopology"])).toContain('"rate":0.75');
    tf.dispose([x, y]);
    disposeModels(model);
  });
});
