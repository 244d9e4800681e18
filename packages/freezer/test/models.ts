import * as tf from "@tensorflow/tfjs";

/** Gives every weight values that depend on `seed` only; statistics of batch normalisation stay positive. */
export function setRandomWeights(model: tf.LayersModel, seed: number): void {
  tf.tidy(() => {
    const values = model.weights.map(({ shape, originalName }, index) => {
      const isVariance = originalName.endsWith("moving_variance");
      const sizes = shape.map((size) => size ?? 1);
      return isVariance
        ? tf.randomUniform(sizes, 0.5, 2, "float32", seed + index)
        : tf.randomUniform(sizes, -0.4, 0.4, "float32", seed + index);
    });
    model.setWeights(values);
  });
}

/** The digits example's dense network, smaller. */
export function createDenseModel(seed = 1): tf.LayersModel {
  const model = tf.sequential({
    name: "dense_digits",
    layers: [
      tf.layers.dense({ name: "hidden", inputShape: [64], units: 16, activation: "relu" }),
      tf.layers.dropout({ name: "drop", rate: 0.2 }),
      tf.layers.dense({ name: "classes", units: 10, activation: "softmax" }),
    ],
  });
  setRandomWeights(model, seed);
  return model;
}

/** The digits example's convolutional network, smaller. */
export function createConvModel(seed = 1): tf.LayersModel {
  const model = tf.sequential({
    name: "conv_digits",
    layers: [
      tf.layers.conv2d({ name: "conv", inputShape: [8, 8, 1], filters: 4, kernelSize: 3, padding: "same" }),
      tf.layers.batchNormalization({ name: "norm" }),
      tf.layers.activation({ name: "relu", activation: "relu" }),
      tf.layers.maxPooling2d({ name: "pool", poolSize: 2 }),
      tf.layers.flatten({ name: "flatten" }),
      tf.layers.dense({ name: "classes", units: 10, activation: "softmax" }),
    ],
  });
  setRandomWeights(model, seed);
  return model;
}

/** A model in a model, a layer called twice, two inputs and two outputs, and no names but tfjs's own. */
export function createNestedModel(seed = 1): tf.LayersModel {
  const encoder = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [6], units: 5, activation: "tanh" }), tf.layers.dense({ units: 4 })],
  });
  const left = tf.input({ shape: [6] });
  const right = tf.input({ shape: [6] });
  const shared = tf.layers.dense({ units: 3, activation: "sigmoid" });
  const both = [left, right].map((input) => shared.apply(encoder.apply(input)) as tf.SymbolicTensor);
  const joined = tf.layers.concatenate().apply(both) as tf.SymbolicTensor;
  const score = tf.layers.dense({ units: 1 }).apply(joined) as tf.SymbolicTensor;
  const classes = tf.layers.dense({ units: 2, activation: "softmax" }).apply(joined) as tf.SymbolicTensor;
  const model = tf.model({ inputs: [left, right], outputs: [score, classes] });
  setRandomWeights(model, seed);
  return model;
}

/** Scales by a weight of its own: a layer that no converter knows. */
export class ScaleLayer extends tf.layers.Layer {
  static readonly className: string = "FreezerTestScale";
  private scale: tf.LayerVariable | undefined;

  override build(inputShape: tf.Shape): void {
    const size = inputShape.at(-1) ?? 1;
    this.scale = this.addWeight("scale", [size], "float32", tf.initializers.ones());
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0] : inputs;
      if (input === undefined || this.scale === undefined) throw new TypeError("not built");
      return tf.mul(tf.softplus(input), this.scale.read());
    });
  }
}

/** Uses operations that none of the formats has. */
export class UntranslatedLayer extends tf.layers.Layer {
  static readonly className: string = "FreezerTestUntranslated";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
      const bits = tf.cast(input, "int32");
      return tf.engine().runKernel("EluGrad", { dy: input, y: tf.cast(tf.bitwiseAnd(bits, bits), "float32") });
    });
  }
}

/** Gives an eighth of the steps: one, whatever the number of steps, at the small sizes that are traced. */
export class EighthLayer extends tf.layers.Layer {
  static readonly className: string = "FreezerTestEighth";

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [inputShape[0] ?? null, null, inputShape[2] ?? null];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    const [batch, time, units] = input.shape;
    return tf.slice(input, [0, 0, 0], [batch, Math.floor(time / 8), units]);
  }
}

/** The position of each step, for a layer that looks it up. */
export class PositionLayer extends tf.layers.Layer {
  static readonly className: string = "FreezerTestPosition";

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape.slice(0, 2);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const input = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
    return tf.tidy(() => tf.range(0, input.shape[1]).expandDims(0));
  }
}

/** Channels first, and the normalization over them that the backends `cpu` and `wasm` get wrong. */
export function createChannelsFirstModel(seed = 1): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [2, 6, 6], filters: 3, kernelSize: 3, dataFormat: "channelsFirst" }),
      tf.layers.batchNormalization({ axis: 1 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 2 }),
    ],
  });
  setRandomWeights(model, seed);
  return model;
}

/** Layers over volumes: strided, transposed, pooled. */
export function createVolumeModel(seed = 1): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.conv3d({ inputShape: [4, 6, 4, 1], filters: 2, kernelSize: 1, strides: 2, padding: "same" }),
      tf.layers.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
      tf.layers.maxPooling3d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 2 }),
    ],
  });
  setRandomWeights(model, seed);
  return model;
}
