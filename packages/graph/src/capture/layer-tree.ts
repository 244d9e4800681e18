import { tf } from "#tfjs";

/** A layer with its path from the model, such as `encoder/dense_1`; the model's own name is not part of it. */
export interface LayerPlace {
  readonly path: string;
  readonly layer: tf.layers.Layer;
}

function isLayer(value: unknown): value is tf.layers.Layer {
  return value instanceof tf.layers.Layer;
}

// Layers of a model go by their names, which the topology keeps. Layers inside a layer go by the property that holds
// them: their own names are often made up anew in every process (`dense_Dense7`).
function listChildren(layer: tf.layers.Layer): [string, tf.layers.Layer][] {
  if (layer instanceof tf.LayersModel) return layer.layers.map((child) => [child.name, child]);
  return Object.entries(layer).flatMap(([property, value]: [string, unknown]): [string, tf.layers.Layer][] => {
    if (isLayer(value)) return [[property, value]];
    if (!Array.isArray(value)) return [];
    return value.flatMap((item: unknown, index): [string, tf.layers.Layer][] =>
      isLayer(item) ? [[`${property}/${index}`, item]] : [],
    );
  });
}

/** All layers below the model, inner ones before the layer that holds them; a shared layer is listed where it is first. */
export function listLayers(model: tf.LayersModel): readonly LayerPlace[] {
  const places: LayerPlace[] = [];
  const seen = new Set<tf.layers.Layer>([model]);
  const visit = (layer: tf.layers.Layer, path: string): void => {
    for (const [name, child] of listChildren(layer)) {
      if (seen.has(child)) continue;
      seen.add(child);
      const childPath = path === "" ? name : `${path}/${name}`;
      visit(child, childPath);
      places.push({ path: childPath, layer: child });
    }
  };
  visit(model, "");
  return places;
}

/** A weight of a model with the two names it goes by. */
export interface ModelWeight {
  /** `<layer path>/<weight name>`: unique, and the same however often the model is built or loaded. */
  readonly key: string;
  /** The name in a saved model's weights manifest. */
  readonly savedName: string;
  readonly tensor: tf.Tensor;
}

/** The weights of all layers, each once, under the innermost layer that has it. */
export function listWeights(places: readonly LayerPlace[]): readonly ModelWeight[] {
  const weights: ModelWeight[] = [];
  const seen = new Set<number>();
  const keys = new Set<string>();
  for (const { path, layer } of places) {
    for (const variable of layer.weights) {
      const tensor = variable.read();
      if (seen.has(tensor.id)) continue;
      seen.add(tensor.id);
      // `originalName` is scoped by layer names but, unlike `name`, not numbered per process.
      const name = variable.originalName.slice(variable.originalName.lastIndexOf("/") + 1);
      let key = `${path}/${name}`;
      for (let copy = 1; keys.has(key); copy++) key = `${path}/${name}_${copy}`;
      keys.add(key);
      weights.push({ key, savedName: variable.originalName, tensor });
    }
  }
  return weights;
}

/** The weights of a model, each once, by the keys that its template has for them. */
export function listModelWeights(model: tf.LayersModel): readonly ModelWeight[] {
  return listWeights(listLayers(model));
}
