import type { Signature, TensorData } from "@ckpt/manifest";
import type * as tfjs from "@tensorflow/tfjs";
import type { NamedTensorMap, Tensor } from "@tensorflow/tfjs";

import type { NamedTensors } from "../engine.js";

/** The module `@tensorflow/tfjs`, which is loaded only when it is needed. */
export type Tfjs = typeof tfjs;

/** Makes TensorFlow.js tensors of the signature's inputs, for the caller to dispose of. */
export function toTensors(tf: Pick<Tfjs, "tensor">, signature: Signature, inputs: NamedTensors): NamedTensorMap {
  const tensors: NamedTensorMap = {};
  for (const { name, dtype } of signature.inputs) {
    const input = inputs[name];
    if (input === undefined) throw new TypeError(`no tensor for input ${name}`);
    tensors[name] = tf.tensor(input.data, [...input.shape], dtype);
  }
  return tensors;
}

/** Reads tensors back and disposes of them, also when reading fails. */
export async function readOutputs(tensors: Readonly<Record<string, Tensor>>): Promise<NamedTensors> {
  try {
    const outputs: Record<string, TensorData> = {};
    for (const [name, tensor] of Object.entries(tensors)) {
      outputs[name] = { data: await tensor.data(), shape: tensor.shape };
    }
    return outputs;
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}
