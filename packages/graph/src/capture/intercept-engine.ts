import { tf } from "#tfjs";

import type { LayerOptions, RunLayer } from "./record-recurrent.js";
import { findTimeDistributedClass, type TimeDistributed } from "./record-time-distributed.js";

/** Called in place of `call` of a layer; `run` is that of the class. */
export type LayerHook<Layer> = (
  layer: Layer,
  inputs: tf.Tensor | tf.Tensor[],
  options: LayerOptions,
  run: RunLayer,
) => tf.Tensor | tf.Tensor[];

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
  readonly onRecurrent: LayerHook<tf.RNN>;
  /** Every call of a layer that applies another to each step of time. */
  readonly onTimeDistributed: LayerHook<TimeDistributed>;
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
  const shadowCall = <Layer>(prototype: object, hook: LayerHook<Layer>): void => {
    const call = Reflect.get(prototype, "call") as RunLayer;
    function callHooked(this: Layer, inputs: tf.Tensor | tf.Tensor[], options: LayerOptions | null): unknown {
      return hook(this, inputs, options ?? {}, (...args) => call.apply(this, args));
    }
    shadow(prototype, "call", callHooked);
  };
  shadowCall(tf.RNN.prototype, hooks.onRecurrent);
  shadowCall(findTimeDistributedClass(), hooks.onTimeDistributed);
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
