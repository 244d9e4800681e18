import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureModel, type Graph, optimize, validateGraph } from "../src/index.js";
import { makeInputs, randomizeWeights } from "./compare-model.js";
import { expectClose, type Output, runFormat, toOutput } from "./run-formats.js";

const { layers } = tf;

type Symbolic = tf.SymbolicTensor;
type Build = () => tf.LayersModel;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function apply(layer: tf.layers.Layer, ...inputs: Symbolic[]): Symbolic {
  return layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Symbolic;
}

/** A model of layers in a row on `[time, features]`. */
function stack(...list: tf.layers.Layer[]): tf.LayersModel {
  const input = tf.input({ shape: [5, 3] });
  return tf.model({ inputs: input, outputs: list.reduce((x, layer) => apply(layer, x), input) });
}

/** A model that gives all a layer gives. */
function whole(layer: tf.layers.Layer, shape: number[] = [5, 3]): tf.LayersModel {
  const input = tf.input({ shape });
  return tf.model({ inputs: input, outputs: layer.apply(input) as Symbolic[] });
}

/** Puts out something else than its state, of another size. */
class Accumulator extends tf.layers.Layer {
  static readonly className = "Accumulator";
  readonly stateSize = 3;

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    const [x, sum] = inputs as [tf.Tensor, tf.Tensor];
    const next = tf.add(x, sum);
    return [tf.concat([next, tf.neg(next)], 1), next];
  }
}

const makers = { lstm: layers.lstm, gru: layers.gru, simpleRNN: layers.simpleRNN } as const;
type Options = Parameters<typeof layers.lstm>[0];
type Activation = NonNullable<Options["activation"]>;

const options: Readonly<Record<string, Partial<Options>>> = {
  "as it is": {},
  "returning sequences": { returnSequences: true },
  "returning states": { returnState: true },
  "returning both": { returnSequences: true, returnState: true },
  "going backwards": { goBackwards: true },
  "going backwards, returning both": { goBackwards: true, returnSequences: true, returnState: true },
  "asking for unrolling": { unroll: true },
  "without bias": { useBias: false },
  "with one unit": { units: 1, returnSequences: true },
  "with dropout": { dropout: 0.4, recurrentDropout: 0.3 },
};

const activations: readonly Activation[] = [
  "elu",
  "hardSigmoid",
  "linear",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "swish",
  "tanh",
];

const cells: Record<string, Build> = Object.fromEntries(
  Object.entries(makers).flatMap(([kind, make]) =>
    Object.entries(options).map(([name, option]): [string, Build] => [
      `${kind} ${name}`,
      () => whole(make({ units: 4, ...option })),
    ]),
  ),
);

const activated: Record<string, Build> = Object.fromEntries(
  Object.entries(makers).flatMap(([kind, make]) =>
    activations.map((activation): [string, Build] => [
      `${kind} with ${activation}`,
      () => stack(make({ units: 4, activation })),
    ]),
  ),
);

const gates: Record<string, Build> = Object.fromEntries(
  (["lstm", "gru"] as const).flatMap((kind) =>
    (["sigmoid", "hardSigmoid", "relu", "softsign"] as const).map((recurrentActivation): [string, Build] => [
      `${kind} with gates by ${recurrentActivation}`,
      () => stack(makers[kind]({ units: 4, recurrentActivation, returnSequences: true })),
    ]),
  ),
);

function withInitialState(make: (config: Options) => tf.RNN, stateCount: number, wrapped = false): tf.LayersModel {
  const input = tf.input({ shape: [5, 3] });
  const states = Array.from({ length: wrapped ? 2 * stateCount : stateCount }, () => tf.input({ shape: [4] }));
  const layer = make({ units: 4, returnState: true });
  const outer = wrapped ? layers.bidirectional({ layer, mergeMode: "concat" }) : layer;
  return tf.model({ inputs: [input, ...states], outputs: outer.apply([input, ...states]) as Symbolic[] });
}

const structures: Record<string, Build> = {
  "lstm without a forget bias of one": () => stack(layers.lstm({ units: 4, unitForgetBias: false })),
  "lstm from given states": () => withInitialState(layers.lstm, 2),
  "gru from a given state": () => withInitialState(layers.gru, 1),
  "an encoder and a decoder": () => {
    const [source, target] = [tf.input({ shape: [5, 3] }), tf.input({ shape: [4, 3] })];
    const [, ...states] = layers.lstm({ units: 4, returnState: true }).apply(source) as Symbolic[];
    const decoder = layers.lstm({ units: 4, returnSequences: true });
    return tf.model({ inputs: [source, target], outputs: apply(decoder, target, ...states) });
  },
  "two lstm in a row": () => stack(layers.lstm({ units: 4, returnSequences: true }), layers.lstm({ units: 3 })),
  "stacked cells": () =>
    stack(
      layers.rnn({
        cell: [
          layers.lstmCell({ units: 4 }),
          layers.gruCell({ units: 3, dropout: 0.2 }),
          layers.simpleRNNCell({ units: 2 }),
        ],
        returnSequences: true,
      }),
    ),
  "stacked cells returning states": () =>
    whole(
      layers.rnn({
        cell: [layers.lstmCell({ units: 4 }), layers.lstmCell({ units: 3 })],
        returnState: true,
      }),
    ),
  "a cell of one's own": () =>
    whole(layers.rnn({ cell: new Accumulator({}) as never, returnSequences: true, returnState: true })),
  "the last output of a cell of one's own": () => stack(layers.rnn({ cell: new Accumulator({}) as never })),
  "timeDistributed around an lstm": () =>
    whole(layers.timeDistributed({ layer: layers.lstm({ units: 4 }) }), [2, 5, 3]),
  "timeDistributed around a convolution": () =>
    whole(
      layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 3, activation: "relu" }) }),
      [4, 6, 5, 2],
    ),
  "timeDistributed around a model": () =>
    whole(layers.timeDistributed({ layer: stack(layers.gru({ units: 3 }), layers.dense({ units: 2 })) }), [2, 5, 3]),
  "timeDistributed around a dense layer, over a mask": () =>
    stack(
      layers.masking({ maskValue: 0 }),
      layers.timeDistributed({ layer: layers.dense({ units: 4, activation: "tanh" }) }),
      layers.gru({ units: 2 }),
    ),
  "a model around a gru": () => {
    const inner = stack(layers.gru({ units: 3 }), layers.dense({ units: 2 }));
    return stack(layers.dense({ units: 3 }), inner);
  },
  "an lstm used twice": () => {
    const [a, b] = [tf.input({ shape: [5, 3] }), tf.input({ shape: [7, 3] })];
    const shared = layers.lstm({ units: 4, goBackwards: true });
    return tf.model({ inputs: [a, b], outputs: [apply(shared, a), apply(shared, b)] });
  },
  "masking and an lstm": () => stack(layers.masking({ maskValue: 0 }), layers.lstm({ units: 4 })),
  "masking and a gru going backwards, returning both": () => {
    const input = tf.input({ shape: [5, 3] });
    const gru = layers.gru({ units: 4, goBackwards: true, returnSequences: true, returnState: true });
    return tf.model({
      inputs: input,
      outputs: gru.apply(apply(layers.masking({ maskValue: 0 }), input)) as Symbolic[],
    });
  },
  "masking and a cell of one's own": () =>
    stack(
      layers.masking({ maskValue: 0 }),
      layers.simpleRNN({ units: 4, returnSequences: true }),
      layers.lstm({ units: 2 }),
    ),
  ...Object.fromEntries(
    (["concat", "sum", "mul", "ave", null] as const).flatMap((mergeMode) =>
      [true, false].map((returnSequences): [string, Build] => [
        `bidirectional by ${String(mergeMode)}${returnSequences ? ", returning sequences" : ""}`,
        () =>
          whole(
            layers.bidirectional({
              layer: layers.lstm({ units: 4, returnSequences }),
              mergeMode: mergeMode!,
            }),
          ),
      ]),
    ),
  ),
  "bidirectional returning states": () =>
    whole(layers.bidirectional({ layer: layers.gru({ units: 4, returnState: true }), mergeMode: "sum" })),
  "bidirectional over a mask": () =>
    stack(
      layers.masking({ maskValue: 0 }),
      layers.bidirectional({ layer: layers.gru({ units: 4, returnSequences: true }), mergeMode: "concat" }),
    ),
  "bidirectional from given states": () => withInitialState(layers.gru, 1, true),
  convLstm2d: () => whole(layers.convLstm2d({ filters: 2, kernelSize: 3 }), [3, 6, 5, 2]),
  "convLstm2d with all options": () =>
    whole(
      layers.convLstm2d({
        filters: 2,
        kernelSize: [3, 2],
        strides: [2, 1],
        padding: "same",
        activation: "relu",
        recurrentActivation: "sigmoid",
        useBias: false,
        returnSequences: true,
        returnState: true,
        goBackwards: true,
        dropout: 0.2,
      }),
      [3, 6, 5, 2],
    ),
  "rnn of a convLstm2d cell, dilated": () =>
    whole(layers.convLstm2d({ filters: 2, kernelSize: 2, dilationRate: 2, padding: "same" }), [2, 5, 5, 1]),
};

interface Checked {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, tf.Tensor>>;
  readonly expected: readonly Output[];
}

function prepare(model: tf.LayersModel, batch = 5, indexLimit?: number): Checked {
  randomizeWeights(model);
  const captured = captureModel(model).graph;
  const graph = optimize(captured);
  validateGraph(graph);
  const inputs = makeInputs(model, batch, indexLimit).map((input) =>
    // Some steps are all zero, for masks.
    input.rank === 3 ? tf.tidy(() => tf.mul(input, maskLike(input))) : input,
  );
  const result = model.predict(inputs.length === 1 ? inputs[0]! : inputs, { batchSize: batch });
  return {
    graph,
    feeds: Object.fromEntries(graph.inputs.map(({ name }, index) => [name, inputs[index]!])),
    expected: (Array.isArray(result) ? result : [result]).map(toOutput),
  };
}

function maskLike(input: tf.Tensor): tf.Tensor {
  const [batch = 1, time = 1] = input.shape;
  const values = Array.from({ length: batch * time }, (_, index) => Number((index * 7) % 5 < 3));
  return tf.tensor(values, [batch, time, 1]);
}

async function check({ graph, feeds, expected }: Checked): Promise<void> {
  expectClose(await runFormat("onnx", graph, feeds), expected, 1e-5);
  expectClose(await runFormat("graph-model", graph, feeds), expected, 1e-5);
  // Longer than one step: loops instead.
  for (const format of ["graph-model", "graph-def", "saved-model"] as const) {
    expectClose(await runFormat(format, graph, feeds, { maxUnrolledSteps: 1 }), expected, 1e-5);
  }
}

const cases = { ...cells, ...activated, ...gates, ...structures };

describe("a recurrent model", () => {
  it.each(Object.keys(cases))(
    "gives in every format what TensorFlow.js gives, unrolled and as a loop: %s",
    async (name) => {
      const prepared = prepare(cases[name]!());
      expect(prepared.graph.nodes.some(({ op }) => op === "Scan")).toBe(true);
      await check(prepared);
    },
  );

  it("takes its mask from an embedding", async () => {
    const input = tf.input({ shape: [5] });
    const embedded = apply(layers.embedding({ inputDim: 6, outputDim: 3, maskZero: true }), input);
    const model = tf.model({ inputs: input, outputs: apply(layers.lstm({ units: 4 }), embedded) });
    await check(prepare(model, 5, 6));
  });

  it("starts a stateful layer from zeros, as after a reset, and leaves it as it was", async () => {
    const input = tf.input({ batchShape: [4, 5, 3] });
    const lstm = layers.lstm({ units: 4, stateful: true });
    const model = tf.model({ inputs: input, outputs: apply(lstm, input) });
    randomizeWeights(model);
    const [inputs] = makeInputs(model, 4);
    model.predict(inputs!, { batchSize: 4 });
    const before = lstm.states.map((state) => state.dataSync());
    const { graph } = captureModel(model);
    expect(lstm.states.map((state) => state.dataSync())).toEqual(before);
    model.resetStates();
    const expected = [toOutput(model.predict(inputs!, { batchSize: 4 }) as tf.Tensor)];
    await check({ graph: optimize(graph), feeds: { [graph.inputs[0]!.name]: inputs! }, expected });
  });
});
