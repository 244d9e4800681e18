import { tf } from "#tfjs";

import type { LayerPlace } from "./layer-tree.js";

/** One result of a layer, counted over its calls. */
export interface LayerResult {
  /** As it is written in a cut. */
  readonly name: string;
  readonly place: LayerPlace;
  readonly index: number;
}

/** What is seen of the results of layers while a model runs. */
export interface ResultWatch {
  /** The result as it was computed; to be called before `stop`, in a tidy. */
  take(result: LayerResult): tf.Tensor | undefined;
  /** Gives the layers their own `call` back. */
  stop(): void;
}

/** Wraps `call` of the layers concerned: some results are replaced, others taken note of. */
export function watchResults(
  replacements: readonly { readonly result: LayerResult; readonly tensor: tf.Tensor }[],
  wanted: readonly LayerResult[],
): ResultWatch {
  const taken = new Map<string, tf.Tensor>();
  const places = new Map(
    [...replacements.map(({ result }) => result), ...wanted].map(({ place }) => [place.layer, place]),
  );
  const wrapped = [...places.values()].map((place) => {
    const { layer } = place;
    const own = Object.getOwnPropertyDescriptor(layer, "call");
    const call = layer.call.bind(layer);
    let count = 0;
    const visit = (tensor: tf.Tensor): tf.Tensor => {
      const index = count++;
      const isThis = ({ place: of, index: at }: LayerResult): boolean => of.layer === layer && at === index;
      // A model disposes what its layers gave it, so each use gets a tensor of its own.
      const used = replacements.find(({ result }) => isThis(result))?.tensor.clone() ?? tensor;
      for (const result of wanted.filter(isThis)) taken.set(result.name, tf.keep(used.clone()));
      return used;
    };
    layer.call = (inputs, kwargs): ReturnType<typeof call> => {
      const results = call(inputs, kwargs);
      return Array.isArray(results) ? results.map(visit) : visit(results);
    };
    return { layer, own };
  });
  return {
    take: ({ name }) => taken.get(name)?.clone(),
    stop: () => {
      for (const tensor of taken.values()) tensor.dispose();
      for (const { layer, own } of wrapped) {
        if (own === undefined) Reflect.deleteProperty(layer, "call");
        else Object.defineProperty(layer, "call", own);
      }
    },
  };
}
