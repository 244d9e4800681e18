import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { captureModel, emitOnnx, type GraphTemplate, optimize } from "../src/index.js";
import { makeRandom, randomizeWeights } from "./compare-model.js";
import { Attention, Lambda } from "./custom-layers.js";
import { allFormats, expectClose, type Feeds, runFormat, toOutput } from "./run-formats.js";

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function apply(layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor {
  return layer.apply(x) as tf.SymbolicTensor;
}

function chain(shape: tf.Shape, list: readonly tf.layers.Layer[]): tf.LayersModel {
  const input = tf.input({ shape, name: "x" });
  const outputs = list.reduce<tf.SymbolicTensor>((x, layer) => apply(layer, x), input);
  return tf.model({ inputs: input, outputs });
}

function join(
  shapes: readonly tf.Shape[],
  layer: tf.layers.Layer,
  after: readonly tf.layers.Layer[] = [],
): tf.LayersModel {
  const inputs = shapes.map((shape, index) => tf.input({ shape, name: `x${index}` }));
  const joined = apply(layer, inputs);
  const outputs = after.reduce<tf.SymbolicTensor>((x, next) => apply(next, x), joined);
  return tf.model({ inputs, outputs });
}

function lambda(compute: (x: tf.Tensor) => tf.Tensor, shape?: (shape: tf.Shape) => tf.Shape): tf.layers.Layer {
  return new Lambda(compute, shape, "lambda");
}

// Halves an image twice and doubles it again, with what it was at each size joined on.
function makeUNet(): tf.LayersModel {
  const conv = (filters: number): tf.layers.Layer => layers.conv2d({ filters, kernelSize: 3, padding: "same" });
  const input = tf.input({ shape: [null, null, 2], name: "image" });
  const top = apply(layers.batchNormalization(), apply(conv(3), input));
  const middle = apply(conv(4), apply(layers.maxPooling2d({ poolSize: 2 }), top));
  const bottom = apply(conv(5), apply(layers.maxPooling2d({ poolSize: 2, padding: "same" }), middle));
  const up = (x: tf.SymbolicTensor, skip: tf.SymbolicTensor): tf.SymbolicTensor =>
    apply(layers.concatenate(), [apply(layers.upSampling2d({ size: [2, 2] }), x), skip]);
  const outputs = apply(layers.dense({ units: 2 }), apply(conv(3), up(apply(conv(3), up(bottom, middle)), top)));
  return tf.model({ inputs: input, outputs });
}

interface Case {
  readonly name: string;
  readonly build: () => tf.LayersModel;
  /** Shapes of the inputs in each run. */
  readonly runs: readonly (readonly (readonly number[])[])[];
  readonly indexLimit?: number;
}

const overTime = (units: number): Case["runs"] => [
  [[1, 1, units]],
  [[3, 5, units]],
  [[2, 31, units]],
  [[7, 16, units]],
];
const overTimeFrom = (units: number): Case["runs"] => overTime(units).slice(1);
const images = (channels: number): Case["runs"] => [
  [[1, 23, 14, channels]],
  [[3, 11, 40, channels]],
  [[5, 32, 15, channels]],
];

const cases: readonly Case[] = [
  {
    name: "dense layers over time",
    build: () =>
      chain(
        [null, 4],
        [layers.dense({ units: 5, activation: "relu" }), layers.dense({ units: 3, activation: "softmax" })],
      ),
    runs: overTime(4),
  },
  {
    name: "dense layers over an image",
    build: () => chain([null, null, 3], [layers.dense({ units: 4, activation: "tanh" }), layers.dense({ units: 2 })]),
    runs: images(3),
  },
  ...(["same", "valid"] as const).map((padding): Case => ({
    name: `strided convolutions over time, ${padding}`,
    build: () =>
      chain(
        [null, 3],
        [
          layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding, activation: "relu" }),
          layers.batchNormalization(),
          layers.conv1d({ filters: 2, kernelSize: 2, strides: 1, padding }),
          layers.maxPooling1d({ poolSize: 2, strides: 1, padding }),
          layers.dense({ units: 2 }),
        ],
      ),
    runs: overTimeFrom(3).map(([[batch = 1, time = 1, units = 1] = []]) => [[batch, time + 2, units]]),
  })),
  {
    name: "a fixed batch and open time",
    build: () => {
      const input = tf.input({ batchShape: [4, null, 3], name: "x" });
      return tf.model({ inputs: input, outputs: apply(layers.dense({ units: 2 }), input) });
    },
    runs: [[[4, 5, 3]], [[4, 31, 3]]],
  },
  {
    name: "a table of ten positions",
    build: () => {
      const input = tf.input({ shape: [null, 3], name: "x" });
      const position = lambda(
        (x) => tf.range(0, x.shape[1]!).expandDims(0),
        ([batch, time]) => [batch!, time!],
      );
      const positions = apply(layers.embedding({ inputDim: 10, outputDim: 3 }), apply(position, input));
      return tf.model({ inputs: input, outputs: apply(layers.add(), [input, positions]) });
    },
    runs: [[[1, 1, 3]], [[4, 10, 3]]],
  },
  {
    name: "a dilated convolution over time",
    build: () => chain([null, 3], [layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 2, padding: "same" })]),
    runs: overTimeFrom(3),
  },
  {
    name: "a convolutional classifier",
    build: () =>
      chain(
        [null, null, 3],
        [
          layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same", useBias: false }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.depthwiseConv2d({ kernelSize: 3, padding: "same" }),
          layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }),
          layers.separableConv2d({ filters: 4, kernelSize: 2 }),
          layers.globalAveragePooling2d({}),
          layers.dense({ units: 3, activation: "softmax" }),
        ],
      ),
    runs: images(3),
  },
  {
    name: "a convolutional network too deep for a few pixels",
    build: () =>
      chain(
        [null, null, 1],
        [
          ...Array.from({ length: 4 }, (_, depth) =>
            layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: depth % 2 === 0 ? "valid" : "same" }),
          ),
          layers.globalMaxPooling2d({}),
        ],
      ),
    runs: [[[1, 61, 90, 1]], [[2, 100, 45, 1]]],
  },
  {
    name: "a network that makes a few pixels one, and gives them back their size",
    build: () =>
      chain(
        [null, null, 1],
        [
          ...Array.from({ length: 3 }, () =>
            layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: "same" as const }),
          ),
          layers.upSampling2d({ size: [8, 8] }),
        ],
      ),
    runs: [[[1, 61, 90, 1]], [[2, 30, 7, 1]], [[1, 5, 6, 1]]],
  },
  {
    name: "a residual block that halves",
    build: () => {
      const input = tf.input({ shape: [null, null, 2], name: "x" });
      const conv = (kernelSize: number): tf.SymbolicTensor =>
        apply(layers.conv2d({ filters: 3, kernelSize, strides: 2, padding: "same" }), input);
      const pooled = apply(layers.maxPooling2d({ poolSize: 1, strides: 2, padding: "same" }), input);
      const sum = apply(layers.add(), [conv(3), conv(1)]);
      return tf.model({ inputs: input, outputs: apply(layers.concatenate(), [sum, pooled]) });
    },
    runs: images(2),
  },
  {
    name: "a convolution that steps over all that is small, and its result in its former size",
    build: () =>
      chain(
        [null, null, 1],
        [
          layers.conv2d({ filters: 2, kernelSize: 16, strides: 16, padding: "same" }),
          layers.upSampling2d({ size: [16, 16] }),
        ],
      ),
    runs: [[[1, 61, 90, 1]], [[2, 30, 7, 1]]],
  },
  { name: "a U-Net", build: makeUNet, runs: [[[1, 12, 20, 2]], [[3, 32, 8, 2]], [[2, 44, 4, 2]]] },
  ...(["same", "valid"] as const).map((padding): Case => ({
    name: `transposed convolutions, ${padding}`,
    build: () =>
      chain(
        [null, null, 2],
        [
          layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: "same" }),
          layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding, activation: "relu" }),
          layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, padding }),
          layers.conv2dTranspose({ filters: 2, kernelSize: 4, strides: 1, padding }),
        ],
      ),
    runs: images(2),
  })),
  {
    name: "padding, cropping and upsampling of an image",
    build: () =>
      chain(
        [null, null, 2],
        [
          layers.zeroPadding2d({
            padding: [
              [1, 2],
              [3, 0],
            ],
          }),
          layers.cropping2D({
            cropping: [
              [2, 1],
              [0, 2],
            ],
          }),
          layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
        ],
      ),
    runs: images(2),
  },
  {
    name: "an embedding, its average over time",
    build: () =>
      chain(
        [null],
        [
          layers.embedding({ inputDim: 11, outputDim: 4 }),
          layers.globalAveragePooling1d({}),
          layers.dense({ units: 2 }),
        ],
      ),
    runs: [[[1, 1]], [[4, 6]], [[2, 33]]],
    indexLimit: 11,
  },
  {
    name: "attention over time, normalized",
    build: () =>
      chain([null, 6], [new Attention({ units: 6 }), layers.layerNormalization(), layers.dense({ units: 2 })]),
    runs: overTime(6),
  },
  {
    name: "an embedding of words and one of positions",
    build: () => {
      const input = tf.input({ shape: [null], name: "words" });
      const words = apply(layers.embedding({ inputDim: 11, outputDim: 4 }), input);
      const position = lambda(
        (x) => tf.range(0, x.shape[1]!).expandDims(0),
        (shape) => shape.slice(0, 2),
      );
      const positions = apply(layers.embedding({ inputDim: 40, outputDim: 4 }), apply(position, words));
      const sum = apply(layers.add(), [words, positions]);
      const reversed = new Lambda((x) => tf.add(x, tf.range(0, -x.shape[1]!, -1, "int32").reshape([1, -1, 1])));
      return tf.model({ inputs: input, outputs: apply(reversed, sum) });
    },
    runs: [[[1, 1]], [[4, 6]], [[2, 33]]],
    indexLimit: 11,
  },
  {
    name: "attention of several heads",
    build: () =>
      chain(
        [null, 6],
        [
          lambda((x) => {
            const [batch, time] = x.shape as [number, number];
            const heads = tf.transpose(tf.reshape(x, [batch, time, 3, 2]), [0, 2, 1, 3]);
            const mixed = tf.matMul(tf.softmax(tf.matMul(heads, heads, false, true)), heads);
            return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, time, 6]);
          }),
        ],
      ),
    runs: overTime(6),
  },
  {
    name: "a convolution, its result flattened and given its shape back",
    build: () =>
      chain(
        [null, null, 2],
        [
          layers.conv2d({ filters: 4, kernelSize: 3, strides: 2 }),
          lambda((x) => tf.reshape(tf.square(tf.reshape(x, [x.shape[0], -1])), x.shape)),
        ],
      ),
    runs: images(2),
  },
  {
    name: "all but the first and the last of time, and the first and the last",
    build: () =>
      chain(
        [null, 3],
        [
          lambda((x) => {
            const [batch, time, units] = x.shape as [number, number, number];
            const inner = tf.slice(x, [0, 1, 0], [batch, time - 2, units]);
            const ends = [tf.slice(x, [0, time - 1, 0], [batch, 1, units]), tf.slice(x, [0, 0, 0], [batch, 1, units])];
            return tf.concat([...ends, inner], 1);
          }),
        ],
      ),
    runs: overTimeFrom(3),
  },
  {
    name: "every other step in reverse",
    build: () =>
      chain(
        [null, 3],
        [
          lambda(
            (x) => tf.stridedSlice(tf.reverse(x, 1), [0, 0, 0], x.shape, [1, 2, 1]),
            ([b]) => [b!, null, 3],
          ),
        ],
      ),
    runs: overTime(3),
  },
  {
    name: "pairs of steps",
    build: () =>
      chain(
        [null, 3],
        [
          lambda(
            (x) => tf.reshape(x, [x.shape[0], x.shape[1]! / 2, 6]),
            ([b]) => [b!, null, 6],
          ),
          layers.dense({ units: 2 }),
        ],
      ),
    runs: [[[1, 2, 3]], [[3, 10, 3]], [[2, 30, 3]]],
  },
  {
    name: "sums of pairs of rows",
    build: () =>
      chain(
        [null, 3],
        [
          lambda(
            (x) => {
              const [batch, time] = x.shape as [number, number];
              return tf.sum(tf.reshape(tf.matMul(x, x, false, true), [batch, time / 2, 2, time]), 2);
            },
            ([b]) => [b!, null, null],
          ),
        ],
      ),
    runs: [[[1, 2, 3]], [[3, 10, 3]], [[2, 30, 3]]],
  },
  {
    name: "a product of all pairs of steps",
    build: () =>
      chain(
        [null, 3],
        [
          lambda(
            (x) => tf.reshape(tf.matMul(x, x, false, true), [x.shape[0], x.shape[1]! ** 2]),
            ([b]) => [b!, null],
          ),
        ],
      ),
    runs: overTime(3),
  },
  {
    name: "flattened time",
    build: () =>
      chain(
        [null, 3],
        [
          lambda(
            (x) => tf.relu(tf.reshape(x, [x.shape[0], -1])),
            ([b]) => [b!, null],
          ),
        ],
      ),
    runs: overTime(3),
  },
  {
    name: "swapped axes",
    build: () => chain([null, 3], [layers.permute({ dims: [2, 1] }), layers.reLU()]),
    runs: overTime(3),
  },
  {
    name: "a vector repeated and reshaped, next to open time",
    build: () => {
      const inputs = [tf.input({ shape: [null, 4], name: "sequence" }), tf.input({ shape: [4], name: "vector" })];
      const repeated = apply(layers.repeatVector({ n: 3 }), inputs[1]!);
      const reshaped = apply(layers.reshape({ targetShape: [6, 2] }), repeated);
      const wide = apply(layers.dense({ units: 4 }), reshaped);
      const outputs = apply(layers.concatenate({ axis: 1 }), [inputs[0]!, wide]);
      return tf.model({ inputs, outputs });
    },
    runs: [
      [
        [1, 9, 4],
        [1, 4],
      ],
      [
        [5, 2, 4],
        [5, 4],
      ],
    ],
  },
  {
    name: "two sequences, each with its own time",
    build: () =>
      join(
        [
          [null, 3],
          [null, 3],
        ],
        layers.concatenate({ axis: 1 }),
        [layers.dense({ units: 2 }), layers.layerNormalization()],
      ),
    runs: [
      [
        [1, 2, 3],
        [1, 9, 3],
      ],
      [
        [4, 20, 3],
        [4, 5, 3],
      ],
    ],
  },
  {
    name: "two sequences that attend to each other",
    build: () =>
      join(
        [
          [null, 3],
          [null, 3],
        ],
        layers.dot({ axes: -1 }),
        [layers.activation({ activation: "softmax" })],
      ),
    runs: [
      [
        [1, 2, 3],
        [1, 9, 3],
      ],
      [
        [4, 20, 3],
        [4, 5, 3],
      ],
    ],
  },
  {
    name: "two sequences of one time",
    build: () =>
      join(
        [
          [null, 3],
          [null, 3],
        ],
        layers.add(),
        [layers.dense({ units: 2 })],
      ),
    runs: [
      [
        [1, 9, 3],
        [1, 9, 3],
      ],
      [
        [4, 5, 3],
        [4, 5, 3],
      ],
    ],
  },
];

function makeFeeds({ signature }: GraphTemplate, shapes: readonly (readonly number[])[], indexLimit?: number): Feeds {
  const random = makeRandom(shapes.flat().reduce((sum, size) => sum * 31 + size, 7));
  return Object.fromEntries(
    signature.inputs.map((input, index) => {
      const shape = [...(shapes[index] ?? [])];
      const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () =>
        indexLimit === undefined ? random() * 2 : Math.floor(((random() + 1) / 2) * indexLimit),
      );
      return [input.name, tf.tensor(values, shape, input.dtype)];
    }),
  );
}

describe.each(cases.map((each) => [each.name, each] as const))("a model of %s", (_, { build, runs, indexLimit }) => {
  const prepare = (): { model: tf.LayersModel; template: GraphTemplate } => {
    const model = build();
    randomizeWeights(model);
    return { model, template: captureModel(model) };
  };
  let prepared: ReturnType<typeof prepare>;
  beforeAll(() => {
    prepared = prepare();
  });

  it("keeps its open dimensions open", () => {
    const { model, template } = prepared;
    expect(template.signature.inputs.map(({ shape }) => shape)).toEqual(model.inputs.map(({ shape }) => shape));
  });

  it.each(allFormats)("gives what the model gives at sizes that were not traced: %s", async (format) => {
    const { model, template } = prepared;
    const graph = optimize(template.graph);
    for (const shapes of runs) {
      const feeds = makeFeeds(template, shapes, indexLimit);
      const result = model.predict(Object.values(feeds), { batchSize: shapes[0]?.[0] ?? 1 });
      const expected = (Array.isArray(result) ? result : [result]).map(toOutput);
      expectClose(await runFormat(format, graph, feeds), expected, 5e-5);
      for (const [index, { shape }] of template.signature.outputs.entries()) {
        expect(expected[index]?.shape.map((size, axis) => (shape[axis] === null ? null : size))).toEqual(shape);
      }
    }
  });
});

describe("a model with open dimensions", () => {
  it.each<[string, () => tf.LayersModel, "IMPURE_COMPUTATION" | "UNSUPPORTED_OP" | "UNSUPPORTED_SHAPE", RegExp]>([
    [
      "a layer divides by the number of steps",
      () => chain([null, 3], [lambda((x) => tf.div(x, x.shape[1]!))]),
      "IMPURE_COMPUTATION",
      /lambda: .*when dimension 1 of input x changes/,
    ],
    [
      "a layer clips to the number of steps",
      () => chain([null, 3], [lambda((x) => tf.clipByValue(x, 0, x.shape[1]!))]),
      "IMPURE_COMPUTATION",
      /lambda: the attribute clipValueMax of ClipByValue/,
    ],
    [
      "a layer goes through the columns one by one",
      () =>
        chain(
          [null, null, 3],
          [
            lambda((x) =>
              tf.stack(
                tf.unstack(x, 2).map((column) => tf.neg(column)),
                2,
              ),
            ),
          ],
        ),
      "IMPURE_COMPUTATION",
      /lambda: it does other operations when dimension 2 of input x changes/,
    ],
    [
      "a layer takes the first half of time",
      () =>
        chain(
          [null, 3],
          [
            lambda(
              (x) => tf.slice(x, [0, 0, 0], [x.shape[0], Math.floor(x.shape[1]! / 2), 3]),
              ([b]) => [b!, null, 3],
            ),
          ],
        ),
      "UNSUPPORTED_SHAPE",
      /lambda/,
    ],
    [
      "a transposed convolution gives another size than usual",
      () =>
        chain(
          [null, null, 1],
          [
            lambda(
              (x) => {
                const [batch, height, width] = x.shape as [number, number, number];
                const shape: [number, number, number, number] = [batch, 2 * height - 1, 2 * width, 1];
                return tf.conv2dTranspose(x as tf.Tensor4D, tf.ones<tf.Rank.R4>([3, 3, 1, 1]), shape, 2, "same");
              },
              ([b]) => [b!, null, null, 1],
            ),
          ],
        ),
      "UNSUPPORTED_OP",
      /Conv2DBackpropInput.*size/s,
    ],
    [
      "a layer fails at every size",
      () =>
        chain(
          [null, 3],
          [
            lambda(() => {
              throw new RangeError("broken");
            }),
          ],
        ),
      "UNSUPPORTED_SHAPE",
      /input x: .*broken/,
    ],
  ])("is refused where %s", (_, build, code, message) => {
    const model = build();
    const tensors = tf.memory().numTensors;
    let error: unknown;
    try {
      captureModel(model);
    } catch (caught) {
      error = caught;
    }
    expect(isCkptError(error, code) && error.message).toMatch(message);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("is no ONNX model where ONNX Runtime would pad a window otherwise", () => {
    const conv = layers.conv2d({ filters: 1, kernelSize: 2, strides: 5, padding: "same", name: "conv" });
    const { graph } = captureModel(chain([null, null, 1], [conv]));
    expect(() => emitOnnx(graph, { name: "test" })).toThrow(/Conv2D.*smaller than its stride/s);
  });
});
