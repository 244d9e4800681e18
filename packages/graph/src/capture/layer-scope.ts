import type { LayerPlace } from "./layer-tree.js";

/** Where in the layers the computation is. */
export interface LayerScope {
  /** Path of the innermost layer being called, empty outside of any. */
  readonly currentLayer: () => string;
  /** Gives the layers their own `call` back. */
  readonly restore: () => void;
}

/**
 * Wraps `call` of every layer, so that it is known at any time which one is running, until `restore` is called. Besides,
 * each layer gets keyword arguments of its own: a recurrent layer adds its first states to those it is given, and the next
 * layer would take them for its own.
 */
export function enterLayerScope(places: readonly LayerPlace[]): LayerScope {
  const stack: string[] = [];
  const wrapped = places.flatMap(({ path, layer }) => {
    const own = (["apply", "call"] as const).map((name) => ({
      layer,
      name,
      descriptor: Object.getOwnPropertyDescriptor(layer, name),
    }));
    const apply = layer.apply.bind(layer);
    layer.apply = (inputs, kwargs): ReturnType<typeof apply> => apply(inputs, { ...kwargs });
    const ownCall = Object.hasOwn(layer, "call") ? layer.call.bind(layer) : undefined;
    // Looked up at each call: what a class has may be hooked while the computation is recorded.
    const classCall: typeof layer.call = (inputs, kwargs) =>
      (Reflect.get(Object.getPrototypeOf(layer) as object, "call") as typeof layer.call).call(layer, inputs, kwargs);
    layer.call = (inputs, kwargs): ReturnType<typeof layer.call> => {
      stack.push(path);
      try {
        return (ownCall ?? classCall)(inputs, kwargs);
      } finally {
        stack.pop();
      }
    };
    return own;
  });
  return {
    currentLayer: () => stack.at(-1) ?? "",
    restore: () => {
      for (const { layer, name, descriptor } of wrapped) {
        if (descriptor === undefined) Reflect.deleteProperty(layer, name);
        else Object.defineProperty(layer, name, descriptor);
      }
    },
  };
}
