import type * as tf from "@tensorflow/tfjs";

import type { LayerPlace } from "./layer-tree.js";

/** What a layer's `call` gives. */
export type LayerResult = tf.Tensor | tf.Tensor[];

/** Where in the layers the computation is. */
export interface LayerScope {
  /** Path of the innermost layer being called, empty outside of any. */
  readonly currentLayer: () => string;
  /** Gives the layers their own `call` back. */
  readonly restore: () => void;
}

/**
 * Wraps `call` of every layer, so that it is known at any time which one is running, until `restore` is called.
 * `onReturn` gets what each call gives, inner layers before the one that holds them.
 */
export function enterLayerScope(
  places: readonly LayerPlace[],
  onReturn: (path: string, result: LayerResult) => void = () => {},
): LayerScope {
  const stack: string[] = [];
  const wrapped = places.map(({ path, layer }) => {
    const own = Object.getOwnPropertyDescriptor(layer, "call");
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs): LayerResult => {
      stack.push(path);
      try {
        const result = call(inputs, kwargs);
        onReturn(path, result);
        return result;
      } finally {
        stack.pop();
      }
    };
    return { layer, own };
  });
  return {
    currentLayer: () => stack.at(-1) ?? "",
    restore: () => {
      for (const { layer, own } of wrapped) {
        if (own === undefined) Reflect.deleteProperty(layer, "call");
        else Object.defineProperty(layer, "call", own);
      }
    },
  };
}
