import { tf } from "#tfjs";

/** The fields of a LayersModel's `model.json` but its weights. */
export interface ModelDescription {
  /** The same object, or the same `modelTopology` in it, as long as nothing in it changed. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** It says what the model was compiled with, so that TensorFlow.js can load the optimizer's slots too. */
  readonly hasTrainingConfig: boolean;
}

/** The fields of a LayersModel that its type declarations hide. */
interface OpenLayersModel {
  getTrainingConfig(): Readonly<Record<string, unknown>>;
  getUserDefinedMetadata(): Readonly<Record<string, unknown>> | undefined;
}

/**
 * Makes a function that gives the fields `model.save` would write; that itself is not used, since it copies the weights
 * twice and leaks a tensor. The topology is built anew only when a layer came, went, or has another plain value (number,
 * text or flag, such as `trainable` or a rate) in one of its own fields or of what it is made of.
 */
export function createModelDescriber(model: tf.LayersModel): (hasOptimizer: boolean) => ModelDescription {
  const readTopology = remember(model, () => copyJson(model.toJSON(null, false)));
  let last: { readonly topology: unknown; readonly rest: string; readonly fields: ModelDescription["fields"] } = {
    topology: undefined,
    rest: "",
    fields: {},
  };
  return (hasOptimizer) => {
    const topology = readTopology();
    const trainingConfig = hasOptimizer ? readTrainingConfig(model) : undefined;
    const userDefinedMetadata = (model as unknown as OpenLayersModel).getUserDefinedMetadata();
    const rest = JSON.stringify({ trainingConfig, userDefinedMetadata });
    if (last.topology !== topology || last.rest !== rest) {
      const fields = {
        format: "layers-model",
        generatedBy: `TensorFlow.js tfjs-layers v${tf.version_layers}`,
        convertedBy: null,
        modelTopology: topology,
        ...(JSON.parse(rest) as object),
      };
      last = { topology, rest, fields };
    }
    return { fields: last.fields, hasTrainingConfig: trainingConfig !== undefined };
  };
}

/** Gives what `read` gave last for as long as what {@link visitFields} sees in `owner` stays the same. */
function remember<Value>(owner: object, read: () => Value): () => Value {
  let seen: readonly unknown[] = [];
  let last: { readonly value: Value } | undefined;
  return () => {
    let count = 0;
    // Compared in place: done at every save, writing it all down first took a fifth of a small one.
    const isSame = visitFields(owner, (item) => Object.is(seen[count++], item)) && count === seen.length;
    if (last === undefined || !isSame) {
      const items: unknown[] = [];
      visitFields(owner, (item) => items.push(item) > 0);
      seen = items;
      last = { value: read() };
    }
    return last.value;
  };
}

/**
 * Visits the names and plain values of the own fields of everything that has a configuration: layers, and what is inside
 * them. Stops, and returns false, as soon as `visit` does.
 */
function visitFields(owner: object, visit: (item: unknown) => boolean, entered = new Set<object>()): boolean {
  const fields = owner as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(owner)) {
    const value = fields[key];
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
      if (!visit(key) || !visit(value)) return false;
    } else if (typeof value === "object" && value !== null) {
      for (const part of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
        if (!hasConfig(part) || entered.has(part)) continue;
        entered.add(part);
        if (!visit(key) || !visit(part) || !visitFields(part, visit, entered)) return false;
      }
    }
  }
  return true;
}

/** Optimizers count their updates; they are no part of the topology. */
function hasConfig(value: unknown): value is object {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly getConfig?: unknown }).getConfig === "function" &&
    !(value instanceof tf.Optimizer)
  );
}

/** A topology holds arrays of the live layers. */
function copyJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/**
 * What the model was compiled with, in the form of `model.json`, or `undefined` where TensorFlow.js could not compile a
 * loaded model from it: a loss or metric that is a function of the user's own.
 */
function readTrainingConfig(model: tf.LayersModel): Readonly<Record<string, unknown>> | undefined {
  if ((model.optimizer as tf.Optimizer | undefined) === undefined) return undefined;
  const { loss, metrics } = model as { readonly loss: unknown; readonly metrics: unknown };
  return isMadeOfNames(loss) && isMadeOfNames(metrics)
    ? (model as unknown as OpenLayersModel).getTrainingConfig()
    : undefined;
}

function isMadeOfNames(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === "string") return true;
  return typeof value === "object" && Object.values(value).every((part) => typeof part === "string");
}
