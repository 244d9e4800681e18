import type { Signature, TensorData } from "@ckpt/manifest";

import type { NamedTensors } from "../engine.js";
import type { TypedTensor } from "./worker-message.js";

/** Shared memory that inputs are handed to a thread in, whatever the session. */
export interface InputPlaces {
  /**
   * Copies the inputs to a place that is free and keeps it until `action` is done. The rows have to be copied once: a view
   * that is posted takes the whole array behind it along. Into memory that is kept, this is three times as fast as
   * into fresh arrays that are transferred.
   */
  use<Result>(
    signature: Signature,
    tensors: NamedTensors,
    action: (place: number, inputs: Readonly<Record<string, TypedTensor>>) => Promise<Result>,
  ): Promise<Result>;
}

interface Place {
  readonly number: number;
  /** By the position of the input. */
  readonly memory: SharedArrayBuffer[];
}

/** Makes as many places as there are calls at once. */
export function createInputPlaces(): InputPlaces {
  const free: Place[] = [];
  let count = 0;
  return {
    use: async (signature, tensors, action) => {
      const place = free.pop() ?? { number: count++, memory: [] };
      try {
        const inputs: Record<string, TypedTensor> = {};
        for (const [index, { name, dtype }] of signature.inputs.entries()) {
          const tensor = tensors[name];
          if (tensor === undefined) throw new TypeError(`no tensor for input ${name}`);
          inputs[name] = { dtype, data: copyData(place, index, tensor.data), shape: tensor.shape };
        }
        return await action(place.number, inputs);
      } finally {
        free.push(place);
      }
    },
  };
}

function copyData(place: Place, index: number, data: TensorData["data"]): TensorData["data"] {
  let memory = place.memory[index];
  if (memory === undefined || memory.byteLength < data.byteLength) {
    memory = new SharedArrayBuffer(data.byteLength);
    place.memory[index] = memory;
  }
  const copy =
    data instanceof Float32Array
      ? new Float32Array(memory, 0, data.length)
      : data instanceof Int32Array
        ? new Int32Array(memory, 0, data.length)
        : new Uint8Array(memory, 0, data.length);
  copy.set(data);
  return copy;
}
