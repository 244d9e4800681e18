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

const impure: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ["branches on a value it reads", (x) => ((tf.sum(x).dataSync()[0] ?? 0) > 0 ? tf.neg(x) : x)],
  ["starts to read a value", (x) => (void tf.sum(x).data(), tf.neg(x))],
  ["computes with a value it reads", (x) => tf.mul(x, tf.max(x).arraySync())],
  ["adds random numbers", (x) => tf.add(x, tf.randomNormal(x.shape))],
  ["adds one random number", (x) => tf.add(x, tf.randomUniform([1]))],
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
    const methods = readMethods();
    const calls = model.layers.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"));
    const tensors = tf.memory().numTensors;
    findError(() => captureModel(model));
    expect(tf.memory().numTensors).toBe(tensors);
    expect(readMethods()).toEqual(methods);
    expect(Object.keys(tf.engine())).not.toContain("runKernel");
    expect(model.layers.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"))).toEqual(calls);
    expect(random).not.toHaveBeenCalled();
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
