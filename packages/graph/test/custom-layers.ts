import * as tf from "@tensorflow/tfjs";

function single(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

/** Self-attention over `[batch, time, units]` with weights of its own; no built-in layer has these operations. */
export class Attention extends tf.layers.Layer {
  static readonly className = "Attention";
  readonly units: number;
  query?: tf.LayerVariable;
  key?: tf.LayerVariable;
  value?: tf.LayerVariable;

  constructor(config: { name?: string; units: number }) {
    super(config);
    this.units = config.units;
  }

  override build(inputShape: tf.Shape): void {
    const shape = [inputShape.at(-1)!, this.units];
    const init = tf.initializers.glorotUniform({ seed: 1 });
    this.query = this.addWeight("query", shape, "float32", init);
    this.key = this.addWeight("key", shape, "float32", init);
    this.value = this.addWeight("value", shape, "float32", init);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), this.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = single(inputs);
    const project = (weight: tf.LayerVariable): tf.Tensor => {
      const [batch, time, units] = x.shape as [number, number, number];
      const flat = tf.reshape(x, [batch * time, units]);
      return tf.reshape(tf.matMul(flat, weight.read() as tf.Tensor2D), [batch, time, this.units]);
    };
    const [query, key, value] = [this.query!, this.key!, this.value!].map(project) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const scores = tf.div(tf.matMul(query, key, false, true), Math.sqrt(this.units));
    return tf.matMul(tf.softmax(scores), value);
  }
}

/** A layer that does what it is told, for one behaviour at a time. */
export class Lambda extends tf.layers.Layer {
  static readonly className = "Lambda";
  readonly compute: (x: tf.Tensor) => tf.Tensor;
  readonly shape: ((shape: tf.Shape) => tf.Shape) | undefined;

  constructor(compute: (x: tf.Tensor) => tf.Tensor, shape?: (shape: tf.Shape) => tf.Shape, name?: string) {
    super(name === undefined ? {} : { name });
    this.compute = compute;
    this.shape = shape;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return this.shape?.(inputShape) ?? inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.compute(single(inputs));
  }
}

/** A model of one such layer. */
export function lambdaModel(
  inputShape: number[],
  compute: (x: tf.Tensor) => tf.Tensor,
  shape?: (shape: tf.Shape) => tf.Shape,
): tf.LayersModel {
  const input = tf.input({ shape: inputShape });
  const output = new Lambda(compute, shape, "lambda").apply(input) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output });
}
