import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { Lambda, lambdaModel } from "../../test/custom-layers.js";
import { captureModel } from "./capture-model.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

afterEach(() => {
  vi.restoreAllMocks();
});

function findError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

// The methods that a capture shadows, as the engine has them now.
const readMethods = (): unknown[] => [
  ...["runKernel", "readSync", "read"].map((name): unknown => Reflect.get(tf.engine(), name)),
  Reflect.get(tf.Variable.prototype, "assign"),
];

const smallModel = (): tf.LayersModel =>
  tf.sequential({
    layers: [
      layers.dense({ units: 4, inputShape: [3], activation: "relu" }),
      layers.dropout({ rate: 0.5 }),
      layers.batchNormalization(),
      layers.dense({ units: 2 }),
    ],
  });

/** Calls one function in the first and third run, the other in the second. */
function alternate(odd: (x: tf.Tensor) => tf.Tensor, even: (x: tf.Tensor) => tf.Tensor): (x: tf.Tensor) => tf.Tensor {
  let run = 0;
  return (x) => (++run % 2 === 1 ? odd : even)(x);
}

async function waitForValue(x: tf.Tensor): Promise<void> {
  await tf.max(x).data();
}

function countCalls(): (x: tf.Tensor) => tf.Tensor {
  let count = 0;
  return (x) => tf.mul(x, ++count);
}

function keepLast(): (x: tf.Tensor) => tf.Tensor {
  let last: Float32Array | undefined;
  return (x) => {
    const sum = last === undefined ? tf.add(x, 0) : tf.add(x, tf.tensor1d(last));
    last = Float32Array.of(last === undefined ? 1 : 2, 0, 0);
    return sum;
  };
}

function disposeAfter(x: tf.Tensor, result: tf.Tensor): tf.Tensor {
  x.dispose();
  return result;
}

function disposeBetween(x: tf.Tensor): tf.Tensor {
  const negated = tf.neg(x);
  return disposeAfter(negated, tf.square(negated));
}

const impure: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ["branches on a value it reads", (x) => ((tf.sum(x).dataSync()[0] ?? 0) > 0 ? tf.neg(x) : x)],
  ["starts to read a value", (x) => (void tf.sum(x).data(), tf.neg(x))],
  ["computes with a value it reads", (x) => tf.mul(x, tf.max(x).arraySync())],
  ["adds random numbers", (x) => tf.add(x, tf.randomNormal(x.shape))],
  ["adds one random number", (x) => tf.add(x, tf.randomUniform([1]))],
  ["adds random numbers in the shape of its input", (x) => tf.add(x, tf.randomUniform(x.shape))],
  ["drops values in inference too", (x) => tf.dropout(x, 0.5)],
  ["scales by a random number", (x) => tf.mul(x, Math.random())],
  ["rounds a random number", (x) => tf.mul(x, Math.round(Math.random()))],
  ["branches at random", (x) => (Math.random() < 0.5 ? tf.neg(x) : x)],
  ["uses a random number as an attribute", (x) => tf.leakyRelu(x, Math.random() / 2)],
  ["computes with the time", (x) => tf.mul(x, Date.now())],
  [
    "branches on a value it reads all of",
    (x) => ((x.arraySync() as number[][]).flat().some((value) => value > 0.94) ? tf.neg(x) : x),
  ],
  ["waits for a value", (x) => (void waitForValue(x), tf.neg(x))],
  ["counts its calls", countCalls()],
  ["keeps a tensor from call to call", keepLast()],
  ["uses the batch size in a shape and as a number", (x) => tf.sum(x, 0, true).div(x.shape[0]).tile([x.shape[0], 1])],
  ["uses the batch size as a number", (x) => tf.div(x, x.shape[0])],
  ["uses the batch size as an attribute", (x) => tf.clipByValue(x, 0, x.shape[0])],
  ["branches on the batch size", (x) => (x.shape[0] === 3 ? tf.neg(x) : x)],
  [
    "alternates between two numbers",
    alternate(
      (x) => tf.mul(x, 2),
      (x) => tf.mul(x, 3),
    ),
  ],
  [
    "alternates between two attributes",
    alternate(
      (x) => tf.leakyRelu(x, 0.1),
      (x) => tf.leakyRelu(x, 0.2),
    ),
  ],
  [
    "alternates between two operations",
    alternate(
      (x) => tf.neg(x),
      (x) => tf.exp(x),
    ),
  ],
  ["counts squares along the batch", (x) => tf.mul(x, tf.square(tf.range(0, x.shape[0])).expandDims(1))],
];

describe("captureModel", () => {
  it.each(impure)("refuses a layer that %s, and names it", (_, compute) => {
    const error = findError(() => captureModel(lambdaModel([3], compute)));
    expect(isCkptError(error, "IMPURE_COMPUTATION") && error.details.layer).toBe("lambda");
  });

  it("refuses a layer that assigns a variable, and does not assign it", () => {
    const counter = tf.variable(tf.scalar(0));
    const model = lambdaModel([3], (x) => {
      counter.assign(tf.scalar(1));
      return tf.add(x, 1);
    });
    expect(
      isCkptError(
        findError(() => captureModel(model)),
        "IMPURE_COMPUTATION",
      ),
    ).toBe(true);
    expect(counter.dataSync()[0]).toBe(0);
  });

  it("refuses a layer that reads a weight, which would not follow the next checkpoint", () => {
    const dense = layers.dense({ units: 1, inputShape: [3] });
    const reader = new Lambda((x) => tf.mul(x, dense.weights[0]!.read().dataSync()[0] ?? 0), undefined, "reader");
    const input = tf.input({ shape: [3] });
    const output = dense.apply(reader.apply(input)) as tf.SymbolicTensor;
    const error = findError(() => captureModel(tf.model({ inputs: input, outputs: output })));
    expect(isCkptError(error, "IMPURE_COMPUTATION") && error.details.layer).toBe("reader");
  });

  it("records a kernel as one call, whatever kernels it runs and values it reads itself", () => {
    tf.registerKernel({
      kernelName: "Composite",
      backendName: "cpu",
      kernelFunc: ({ inputs }) => {
        const step = tf.step(tf.neg(inputs["x"] as tf.Tensor));
        return tf.mul(step, step.dataSync().length);
      },
    });
    const model = lambdaModel([3], (x) => tf.engine().runKernel("Composite", { x }));
    const error = findError(() => captureModel(model));
    tf.unregisterKernel("Composite", "cpu");
    expect(isCkptError(error, "UNSUPPORTED_OP") && error.details.ops.map(({ op }) => op)).toEqual(["Composite"]);
  });

  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ["leaves tensors behind", (x) => (void tf.exp(x), tf.square(tf.neg(x)))],
    ["disposes of its input", (x) => disposeAfter(x, tf.square(tf.neg(x)))],
    ["disposes of what it makes in between", (x) => disposeBetween(x)],
    ["asks for the time without computing with it", (x) => (void (Date.now() + Math.random()), tf.square(tf.neg(x)))],
  ])("takes a layer that %s", (_, compute) => {
    const tensors = tf.memory().numTensors;
    const { graph } = captureModel(lambdaModel([3], compute));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Placeholder", "Neg", "Square"]);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("refuses an input of strings, by name", () => {
    const input = tf.input({ shape: [1], name: "words", dtype: "string" });
    const lookup = new Lambda(
      (x) => tf.cast(tf.string.staticRegexReplace(x, "a", "b"), "float32"),
      undefined,
      "replace",
    );
    const error = findError(() =>
      captureModel(tf.model({ inputs: input, outputs: lookup.apply(input) as tf.SymbolicTensor })),
    );
    expect(isCkptError(error, "UNSUPPORTED_DTYPE") && error.details.where).toBe("input words");
  });

  it("takes strings that no input has to do with", () => {
    const model = lambdaModel([3], (x) =>
      tf.add(x, tf.equal(tf.tensor1d(["a", "b", "c"]), tf.tensor1d(["a", "a", "c"]))),
    );
    expect(captureModel(model).graph.nodes.map(({ op }) => op)).toContain("BiasAdd");
  });

  it("lets a layer read a constant", () => {
    const model = lambdaModel([3], (x) => tf.mul(x, tf.scalar(2).dataSync()[0] ?? 0));
    expect(captureModel(model).graph.nodes.map((node) => node.op)).toContain("Mul");
  });

  it("names every kernel without a translation at once, with the layers it came from", () => {
    const input = tf.input({ shape: [4, 4, 2] });
    const list = [
      new Lambda((x) => tf.engine().runKernel("EluGrad", { dy: x, y: x }), undefined, "first"),
      new Lambda(
        (x) => tf.cast(tf.bitwiseAnd(tf.cast(x, "int32"), tf.cast(x, "int32")), "float32"),
        undefined,
        "second",
      ),
      new Lambda((x) => tf.engine().runKernel("EluGrad", { dy: x, y: x }), undefined, "third"),
    ];
    const output = list.reduce<tf.SymbolicTensor>((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
    const error = findError(() => captureModel(tf.model({ inputs: input, outputs: output })));
    expect(isCkptError(error, "UNSUPPORTED_OP") && error.details.ops.map(({ op, layers: from }) => [op, from])).toEqual(
      [
        ["EluGrad", ["first", "third"]],
        ["BitwiseAnd", ["second"]],
      ],
    );
  });

  it("does not mind a kernel without a translation whose result is not used", () => {
    const model = lambdaModel([3], (x) => {
      tf.step(x);
      return tf.neg(x);
    });
    expect(captureModel(model).graph.nodes.map((node) => node.op)).toEqual(["Placeholder", "Neg"]);
  });

  it("refuses complex numbers", () => {
    const model = lambdaModel([3], (x) => tf.real(tf.fft(tf.complex(x, x))));
    expect(
      isCkptError(
        findError(() => captureModel(model)),
        "UNSUPPORTED_DTYPE",
      ),
    ).toBe(true);
  });

  it.each<[string, () => tf.LayersModel]>([
    ["after a capture", smallModel],
    ["after random numbers", () => lambdaModel([3], (x) => tf.mul(x, Math.random()))],
    ["after a refusal", () => lambdaModel([3], (x) => tf.mul(x, tf.max(x).dataSync()[0] ?? 0))],
    [
      "after an error in a layer",
      () =>
        lambdaModel([3], (x) => {
          tf.neg(x);
          throw new RangeError("broken");
        }),
    ],
  ])("leaves everything as it was %s", (_, build) => {
    const model = build();
    const random = vi.spyOn(Math, "random");
    const clock = Date.now;
    const methods = readMethods();
    const calls = model.layers.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"));
    const tensors = tf.memory().numTensors;
    findError(() => captureModel(model));
    expect(tf.memory().numTensors).toBe(tensors);
    expect(readMethods()).toEqual(methods);
    expect(Object.keys(tf.engine())).not.toContain("runKernel");
    expect(model.layers.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"))).toEqual(calls);
    expect(random).not.toHaveBeenCalled();
    expect(Math.random).toBe(random);
    expect(Date.now).toBe(clock);
  });

  it("gives the same template each time", () => {
    const model = smallModel();
    expect(captureModel(model)).toEqual(captureModel(model));
  });

  it("does not change with the weights afterwards", () => {
    const model = tf.sequential({ layers: [layers.dense({ units: 1, inputShape: [1], name: "d", useBias: false })] });
    model.setWeights([tf.tensor2d([[2]])]);
    const { graph } = captureModel(model);
    expect(graph.nodes.map((node) => node.constant?.values)).not.toContain(model.getWeights()[0]?.dataSync());
    model.setWeights([tf.tensor2d([[3]])]);
    const captured = graph.nodes.find((node) => node.constant?.weight === "d/kernel")?.constant?.values;
    expect(captured).toEqual(Float32Array.of(2));
  });
});
