import type { Json } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

/**
 * What of a compiled model decides its training and can be compared: its topology, optimizer, loss and metrics. Layers
 * go by their place, not by their name, since TensorFlow.js numbers the layers of a process on and on. A loss or metric
 * of the user's own goes by its source text; the code of custom layers is not looked at.
 */
export function describeModel(model: tf.LayersModel): Json {
  const topology = model.toJSON(null, false) as unknown as Json;
  const optimizer = model.optimizer as tf.Optimizer | undefined;
  const { loss, metrics } = model as { readonly loss: unknown; readonly metrics: unknown };
  return {
    topology: describeTopology(topology),
    optimizer:
      optimizer === undefined ? null : { name: optimizer.getClassName(), ...(optimizer.getConfig() as object) },
    loss: describeFunctions(loss),
    metrics: describeFunctions(metrics),
  };
}

/** A topology with its layers named by their place: equal for the same layers numbered otherwise. */
export function describeTopology(topology: Json): Json {
  return replaceNames(topology, indexLayerNames(topology));
}

/** The names of all layers in the order they appear, each with its place. */
function indexLayerNames(topology: Json, names: Map<string, string> = new Map()): ReadonlyMap<string, string> {
  if (typeof topology !== "object" || topology === null) return names;
  if ("class_name" in topology && "config" in topology) {
    const { config } = topology as { readonly config: Json };
    const name = typeof config === "object" && config !== null && "name" in config ? config["name"] : undefined;
    if (typeof name === "string" && !names.has(name)) names.set(name, `layer ${names.size}`);
  }
  for (const part of Object.values(topology)) indexLayerNames(part, names);
  return names;
}

function replaceNames(value: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof value === "string") return names.get(value) ?? value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((part: Json) => replaceNames(part, names));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replaceNames(part, names)]));
}

function describeFunctions(value: unknown): Json {
  if (typeof value === "function") return String(value);
  if (Array.isArray(value)) return value.map(describeFunctions);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value : null;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, describeFunctions(part)]));
}
