import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import * as ort from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";

import { listLayers, listWeights } from "../src/capture/layer-tree.js";
import {
  bindSignature,
  bindWeights,
  captureModel,
  convertGraphDefToGraphModel,
  emitGraphDef,
  emitGraphModel,
  emitOnnx,
  type Graph,
  optimize,
  parseGraphDef,
  serializeGraphDef,
  validateGraph,
} from "../src/index.js";
import { mapConstants } from "../src/ir/graph-index.js";
import { makeInputs, makeRandom, randomizeWeights } from "./compare-model.js";
import { constant, listOps, makeGraph, node, scan } from "./make-graph.js";
import { allFormats, expectClose, runFormat, toOutput } from "./run-formats.js";
import { runGraph } from "./run-graph.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** A cell made of a function of a slice, a state of as many features and, if it wants one, a layer. */
class Cell extends tf.layers.Layer {
  static readonly className = "TestCell";
  readonly stateSize = 3;
  readonly inner: tf.layers.Layer | undefined;
  readonly compute: (x: tf.Tensor, state: tf.Tensor) => tf.Tensor[];

  constructor(compute: (x: tf.Tensor, state: tf.Tensor) => tf.Tensor[], inner?: tf.layers.Layer) {
    super({});
    this.compute = compute;
    this.inner = inner;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    const [x, state] = inputs as [tf.Tensor, tf.Tensor];
    return this.compute(x, state);
  }
}

function modelOf(cell: Cell, time = 4): tf.LayersModel {
  const input = tf.input({ shape: [time, 3] });
  const rnn = layers.rnn({ cell: cell as never, returnSequences: true });
  return tf.model({ inputs: input, outputs: rnn.apply(input) as tf.SymbolicTensor });
}

function apply(layer: tf.layers.Layer, x: tf.SymbolicTensor): tf.SymbolicTensor {
  return layer.apply(x) as tf.SymbolicTensor;
}

function randomTensor(shape: number[]): tf.Tensor {
  const random = makeRandom(shape.length);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, random), shape);
}

/** The operations of a GraphModel with a recurrence of so many steps. */
function listModelOps(time: number): string[] {
  const { graph } = captureModel(modelOf(new Cell((x, state) => [tf.add(x, state), tf.neg(state)]), time));
  return (emitGraphModel(graph).modelTopology["node"] as { op: string }[]).map(({ op }) => op);
}

function twoCells(): tf.LayersModel {
  return tf.sequential({
    layers: [
      layers.gru({ units: 4, inputShape: [4, 3], returnSequences: true, name: "gru" }),
      layers.lstm({ units: 4, activation: "selu", name: "lstm" }),
    ],
  });
}

// The next state is tanh(slice + state) * capture; its negative is put out. Time is known only at run time.
function openTime(): Graph {
  const body = makeGraph(
    [
      node("Placeholder", "slice", [], [null, 2]),
      node("Placeholder", "state", [], [null, 2]),
      node("Placeholder", "capture", [], [null, 2]),
      constant("shift", [2]),
      node("AddV2", "sum", ["slice", "state"], [null, 2]),
      node("AddV2", "shifted", ["sum", "shift"], [null, 2]),
      node("Tanh", "tanh", ["shifted"], [null, 2]),
      node("Mul", "next", ["tanh", "capture"], [null, 2]),
      node("Neg", "negated", ["next"], [null, 2]),
    ],
    ["next", "negated"],
  );
  const graph = makeGraph(
    [
      node("Placeholder", "x", [], [null, null, 2]),
      node("Placeholder", "start", [], [null, 2]),
      node("Placeholder", "scale", [], [null, 2]),
      scan("scan", ["x", "start", "scale"], null, body),
      node("Neg", "after", ["scan:1"], [null, null, 2]),
    ],
    ["scan", "after"],
  );
  validateGraph(graph);
  return graph;
}

describe("a recurrence of open length", () => {
  it.each([1, 3, 250])("runs %i steps in every format", async (time) => {
    const graph = openTime();
    const feeds = { x: randomTensor([3, time, 2]), start: randomTensor([3, 2]), scale: randomTensor([3, 2]) };
    const expected = runGraph(graph, Object.values(feeds)).map(toOutput);
    for (const format of allFormats) expectClose(await runFormat(format, graph, feeds), expected, 1e-6);
  });

  it.each<[string, (graph: Graph) => unknown]>([
    ["GraphDef", (graph) => emitGraphDef(graph)],
    ["GraphModel", (graph) => emitGraphModel(graph)],
    ["ONNX", (graph) => emitOnnx(graph, { name: "none" })],
  ])("is refused where %s lacks an operation of its step, with the layer", (_, emit) => {
    const graph = openTime();
    const nodes = graph.nodes.map((each) => {
      if (each.scan === undefined) return each;
      const { body } = each.scan;
      const changed = body.nodes.map((inner) =>
        inner.op === "Tanh" ? { ...inner, op: "Tanz", layer: "rnn/cell" } : inner,
      );
      return Object.assign({}, each, { scan: { ...each.scan, body: { ...body, nodes: changed } } });
    });
    let error: unknown;
    try {
      emit({ ...graph, nodes });
    } catch (caught) {
      error = caught;
    }
    expect(isCkptError(error, "UNSUPPORTED_OP") && error.details.ops.map(({ op, layers: from }) => [op, from])).toEqual(
      [["Tanz", ["rnn/cell"]]],
    );
  });

  it("leaves no tensor behind in TensorFlow.js", async () => {
    const graph = openTime();
    const model = await tf.loadGraphModel(tf.io.fromMemory(emitGraphModel(graph)));
    const feeds = { x: randomTensor([3, 5, 2]), start: randomTensor([3, 2]), scale: randomTensor([3, 2]) };
    const tensors = tf.memory().numTensors;
    tf.dispose(await model.executeAsync(feeds));
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });
});

describe("a GraphDef with functions", () => {
  it("runs in TensorFlow.js where two of them have constants of one name", async () => {
    const single = openTime();
    const [first, after] = single.nodes.slice(-2);
    const second = {
      ...mapConstants(single, (each) => ({ ...each, values: each.values.map((value) => 2 * value + 1) })).nodes.at(-2)!,
      name: "second",
      inputs: [{ node: "after", output: 0 }, ...first!.inputs.slice(1)],
    };
    const graph = makeGraph([...single.nodes.slice(0, -2), first!, after!, second], ["scan", "second"]);
    const graphDef = parseGraphDef(serializeGraphDef(emitGraphDef(graph)));
    const bodies = graphDef.library?.function ?? [];
    expect(bodies).toHaveLength(4);
    // As TensorFlow names them: each function has names of its own.
    for (const body of bodies) {
      const prefix = `${body.signature?.name}/`;
      const strip = (text: string): string => text.replace(prefix, "");
      for (const each of body.nodeDef) {
        each.name = strip(each.name);
        each.input = each.input.map(strip);
      }
      for (const [name, value] of Object.entries(body.ret)) body.ret[name] = strip(value);
    }
    const feeds = { x: randomTensor([3, 4, 2]), start: randomTensor([3, 2]), scale: randomTensor([3, 2]) };
    const model = await tf.loadGraphModel(
      tf.io.fromMemory(convertGraphDefToGraphModel(graphDef, bindSignature(graph))),
    );
    const found = (await model.executeAsync(feeds, ["scan", "second"])) as tf.Tensor[];
    expectClose(found.map(toOutput), runGraph(graph, Object.values(feeds)).map(toOutput), 1e-6);
    model.dispose();
  });
});

describe("a model of open time", () => {
  const cases: Record<string, [tf.Shape, (x: tf.SymbolicTensor) => tf.SymbolicTensor | tf.SymbolicTensor[]]> = {
    "an lstm that gives all": [
      [null, 3],
      (x) => layers.lstm({ units: 4, returnSequences: true, returnState: true }).apply(x) as tf.SymbolicTensor[],
    ],
    "a gru behind a mask": [
      [null, 3],
      (x) => apply(layers.gru({ units: 4, goBackwards: true }), apply(layers.masking(), x)),
    ],
    "an embedding and a bidirectional layer": [
      [null],
      (x) => {
        const embedded = apply(layers.embedding({ inputDim: 6, outputDim: 3, maskZero: true }), x);
        const layer = layers.simpleRNN({ units: 2, returnSequences: true });
        return apply(layers.bidirectional({ layer, mergeMode: "concat" }), embedded);
      },
    ],
    "an lstm in each step of an open number": [
      [null, null, 3],
      (x) => apply(layers.timeDistributed({ layer: layers.lstm({ units: 2, returnSequences: true }) }), x),
    ],
    "a convLstm2d over open images": [
      [null, null, null, 2],
      (x) => apply(layers.convLstm2d({ filters: 2, kernelSize: 3, padding: "same", returnSequences: true }), x),
    ],
  };

  it.each(Object.keys(cases))("gives at any length what TensorFlow.js gives: %s", async (name) => {
    const [shape, build] = cases[name]!;
    const input = tf.input({ shape });
    const model = tf.model({ inputs: input, outputs: build(input) });
    randomizeWeights(model);
    const graph = optimize(captureModel(model).graph);
    for (const time of [1, 9]) {
      const sizes = [3, ...shape.map((size, axis) => size ?? time + axis)];
      const x = tf.tidy(() =>
        shape.length === 1 ? tf.floor(tf.mul(tf.abs(randomTensor(sizes)), 6)) : randomTensor(sizes),
      );
      const result = model.predict(x);
      const expected = (Array.isArray(result) ? result : [result]).map(toOutput);
      for (const format of allFormats) {
        expectClose(await runFormat(format, graph, { [graph.inputs[0]!.name]: x }), expected, 1e-5);
      }
    }
  });
});

describe("a loop", () => {
  it("stands for more than 200 steps where nothing is said", () => {
    expect(listModelOps(200)).not.toContain("StatelessWhile");
    expect(listModelOps(201)).toContain("StatelessWhile");
  });

  it("may be in the body of another", async () => {
    const inner = layers.lstm({ units: 3, name: "inner" });
    const cell = new Cell((x, state) => {
      const next = tf.add(inner.apply(tf.expandDims(x, 2)) as tf.Tensor, state);
      return [tf.neg(next), next];
    }, inner);
    inner.apply(tf.input({ shape: [3, 1] }));
    const model = modelOf(cell);
    randomizeWeights(model);
    const graph = optimize(captureModel(model).graph);
    const [input] = makeInputs(model, 5);
    const expected = [toOutput(model.predict(input!) as tf.Tensor)];
    const feeds = { [graph.inputs[0]!.name]: input! };
    for (const format of allFormats) {
      for (const maxUnrolledSteps of [1, 3, 4]) {
        expectClose(await runFormat(format, graph, feeds, { maxUnrolledSteps }), expected, 1e-5);
      }
    }
  });

  it("takes the weights of another checkpoint", async () => {
    const template = captureModel(twoCells());
    const trained = twoCells();
    randomizeWeights(trained);
    const weights = new Map(
      listWeights(listLayers(trained)).map(({ key, tensor }) => [
        key,
        { dtype: "float32" as const, shape: tensor.shape, values: tensor.dataSync().slice() as Float32Array },
      ]),
    );
    const graph = bindWeights(template, weights);
    expect(graph).toEqual(optimize(captureModel(trained).graph));
    const [input] = makeInputs(trained, 5);
    const expected = [toOutput(trained.predict(input!) as tf.Tensor)];
    const feeds = { [graph.inputs[0]!.name]: input! };
    expectClose(await runFormat("onnx", graph, feeds), expected, 1e-5);
    expectClose(await runFormat("graph-def", graph, feeds, { maxUnrolledSteps: 1 }), expected, 1e-5);
  });

  it("of 1,000 steps loads in onnxruntime in less than a second", async () => {
    const model = tf.sequential({ layers: [layers.lstm({ units: 16, inputShape: [1000, 8] })] });
    const bytes = emitOnnx(optimize(captureModel(model).graph), { name: "long" });
    const start = performance.now();
    const session = await ort.InferenceSession.create(bytes);
    expect(performance.now() - start).toBeLessThan(1000);
    await session.release();
  });
});

describe("the capture of a recurrent layer", () => {
  it("runs its cell once for each trace, however long the sequence is", () => {
    let calls = 0;
    const model = modelOf(new Cell((x, state) => [tf.add(x, state), (calls++, tf.neg(state))]), 1000);
    calls = 0;
    captureModel(model);
    expect(calls).toBe(3);
  });

  it("records the steps of a cell whose state changes its shape", () => {
    const cell = new Cell((x, state) => [x, tf.concat([state, x], 1)]);
    const { graph } = captureModel(modelOf(cell));
    expect(graph.nodes.map(({ op }) => op)).not.toContain("Scan");
  });

  it.each<[string, (x: tf.Tensor, state: tf.Tensor) => tf.Tensor[]]>([
    ["reads a value of its slice", (x) => [x, tf.mul(x, x.dataSync()[0] ?? 0)]],
    ["reads a value of its state", (x, state) => [x, tf.mul(state, state.dataSync()[0] ?? 0)]],
    ["draws random numbers", (x) => [x, tf.add(x, tf.randomNormal([3]))]],
    ["uses the batch size as a number", (x) => [x, tf.mul(x, x.shape[0])]],
    ["branches on the batch size", (x) => [x, x.shape[0] === 3 ? tf.neg(x) : x]],
  ])("refuses a cell that %s, and names it", (_, compute) => {
    let error: unknown;
    try {
      captureModel(modelOf(new Cell(compute)));
    } catch (caught) {
      error = caught;
    }
    expect(isCkptError(error, "IMPURE_COMPUTATION") && error.details.layer).toMatch(/^rnn_.*\/cell$/);
  });

  it("has no trace of dropout", () => {
    const model = tf.sequential({
      layers: [
        layers.lstm({ units: 3, inputShape: [4, 3], dropout: 0.3, recurrentDropout: 0.2, returnSequences: true }),
        layers.gru({ units: 3, dropout: 0.3, recurrentDropout: 0.2 }),
      ],
    });
    const bodies = optimize(captureModel(model).graph).nodes.flatMap((each) => each.scan?.body ?? []);
    expect(bodies).toHaveLength(2);
    expect(bodies.flatMap(listOps)).not.toContain("OnesLike");
  });

  it("leaves the model and the number of tensors as they were", () => {
    const model = tf.sequential({
      layers: [
        layers.lstm({ units: 3, inputShape: [4, 3], dropout: 0.3, recurrentDropout: 0.2, returnSequences: true }),
        layers.rnn({ cell: [layers.gruCell({ units: 2, dropout: 0.1 })] }),
      ],
    });
    const call: unknown = Reflect.get(tf.RNN.prototype, "call");
    const tensors = tf.memory().numTensors;
    captureModel(model);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(Reflect.get(tf.RNN.prototype, "call")).toBe(call);
    expect(model.layers.map((layer) => Object.hasOwn(layer, "apply") || Object.hasOwn(layer, "call"))).toEqual([
      false,
      false,
    ]);
  });
});
