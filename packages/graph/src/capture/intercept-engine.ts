import * as tf from "@tensorflow/tfjs";

import type { CallRecurrent, RecurrentOptions } from "./record-recurrent.js";

/** What is called instead of the engine's own methods; `run` does what the engine would have done. */
export interface EngineHooks {
  /** Every kernel call that is not made from inside another one. */
  readonly onKernel: (
    kernel: string,
    inputs: tf.NamedTensorMap,
    attributes: Readonly<Record<string, unknown>>,
    run: () => tf.Tensor | tf.Tensor[],
  ) => tf.Tensor | tf.Tensor[];
  /** Every call that `tf.RNN` does for a layer, whichever class that is of. */
  readonly onRecurrent: (
    layer: tf.RNN,
    inputs: tf.Tensor | tf.Tensor[],
    options: RecurrentOptions,
    run: CallRecurrent,
  ) => tf.Tensor | tf.Tensor[];
  /** Every read of a buffer, by its id, from outside of kernels. May throw. */
  readonly onRead: (dataId: object) => void;
  /** Every read that gives a promise. Must not throw: nobody may be waiting for that promise. */
  readonly onReadLater: (dataId: object) => void;
  /** Every assignment of a variable, by its name. */
  readonly onAssign: (variable: string) => void;
}

/** The way past the hooks, and out of them. */
export interface InterceptedEngine {
  /** The values of a numeric tensor, past the hooks. May be the backend's own array. */
  readonly readNumbers: (tensor: tf.Tensor) => ArrayLike<number>;
  /** Puts the engine back as it was. */
  readonly restore: () => void;
}

/**
 * Puts hooks on the one global engine of TensorFlow.js until `restore` is called, which belongs in a `finally`.
 * The methods are shadowed by own properties, so that removing these is all that restoring takes.
 */
export function interceptEngine(hooks: EngineHooks): InterceptedEngine {
  const engine = tf.engine();
  const runKernel = engine.runKernel.bind(engine);
  const readSync = engine.readSync.bind(engine);
  const read = engine.read.bind(engine);
  const shadowed: { target: object; name: string; descriptor: PropertyDescriptor | undefined }[] = [];
  const shadow = (target: object, name: string, value: unknown): void => {
    shadowed.push({ target, name, descriptor: Object.getOwnPropertyDescriptor(target, name) });
    Object.defineProperty(target, name, { configurable: true, writable: true, value });
  };

  let kernelDepth = 0;
  const runKernelHooked = (
    kernel: string,
    inputs: tf.NamedTensorMap,
    attributes?: Parameters<typeof runKernel>[2],
  ): tf.Tensor | tf.Tensor[] => {
    const run = (): tf.Tensor | tf.Tensor[] => {
      kernelDepth++;
      try {
        return runKernel<tf.Tensor | tf.Tensor[]>(kernel, inputs, attributes);
      } finally {
        kernelDepth--;
      }
    };
    return kernelDepth > 0 ? run() : hooks.onKernel(kernel, inputs, attributes ?? {}, run);
  };
  const readSyncHooked = (dataId: object): ReturnType<typeof readSync> => {
    if (kernelDepth === 0) hooks.onRead(dataId);
    return readSync(dataId);
  };
  const readHooked = (dataId: object): ReturnType<typeof read> => {
    if (kernelDepth === 0) hooks.onReadLater(dataId);
    return read(dataId);
  };
  function assignHooked(this: tf.Variable): void {
    hooks.onAssign(this.name);
  }
  const callRecurrent: unknown = Reflect.get(tf.RNN.prototype, "call");
  function callRecurrentHooked(
    this: tf.RNN,
    inputs: tf.Tensor | tf.Tensor[],
    options: RecurrentOptions | null,
  ): tf.Tensor | tf.Tensor[] {
    return hooks.onRecurrent(this, inputs, options ?? {}, (callInputs, callOptions) =>
      (callRecurrent as CallRecurrent).call(this, callInputs, callOptions),
    );
  }
  shadow(tf.RNN.prototype, "call", callRecurrentHooked);
  shadow(engine, "runKernel", runKernelHooked);
  shadow(engine, "readSync", readSyncHooked);
  shadow(engine, "read", readHooked);
  shadow(tf.Variable.prototype, "assign", assignHooked);

  return {
    readNumbers: (tensor) => readSync(tensor.dataId) as ArrayLike<number>,
    restore: () => {
      for (const { target, name, descriptor } of shadowed) {
        if (descriptor === undefined) Reflect.deleteProperty(target, name);
        else Object.defineProperty(target, name, descriptor);
      }
    },
  };
}
