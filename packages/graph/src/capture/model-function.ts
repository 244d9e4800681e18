import type { Dtype, TensorSpec } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { withFreshStates } from "./fresh-states.js";
import { type LayerPlace, listLayers } from "./layer-tree.js";
import { checkCut, failUnknown, type ModelCut } from "./model-cut.js";
import type { TensorFunction } from "./record-trace.js";
import { type LayerResult, watchResults } from "./watch-results.js";

/** What a model, or a piece of one, computes at inference. */
export interface ModelFunction {
  readonly inputs: readonly TensorSpec[];
  readonly outputNames: readonly string[];
  /** Inputs of the model that a cut has replaced. The outputs must not depend on them. */
  readonly replacedInputs: readonly TensorSpec[];
  /**
   * Takes a tensor for each of `inputs` and, where given, for each of `replacedInputs`; zeros otherwise. Stateful layers
   * start from zeros each time, and have their states back afterwards.
   */
  readonly compute: TensorFunction;
  /** All layers of the model. */
  readonly places: readonly LayerPlace[];
}

/** Stands for an open size, besides the batch, of an input that does not matter. */
const arbitrarySize = 32;

/**
 * Describes a model's inference as a function on tensors. Inputs and outputs are named as in `model.inputNames` and
 * `model.outputNames`, those of a cut as they are written there.
 *
 * @throws {CkptError} INVALID_OPTION when the model has no layer or output that the cut names.
 */
export function createModelFunction(model: tf.LayersModel, cut: ModelCut = {}): ModelFunction {
  checkCut(cut);
  if (model.inputs === undefined || model.inputs.length === 0) {
    throw new TypeError("The model has no inputs yet: build it, or give its first layer an inputShape.");
  }
  // A Sequential puts its layers together at first use; only then it has input and output names.
  if (model instanceof tf.Sequential && !model.built) model.build();
  const places = listLayers(model);
  const names = makeUnique(model.inputNames);
  const ownInputs = model.inputs.map((input, index) => describeTensor(names[index] ?? input.name, input));
  const ownOutputs = makeUnique(model.outputNames);

  const find = findResult(places);
  const inputs = (cut.inputs ?? names).map((name) => {
    const own = names.indexOf(name);
    const spec = ownInputs[own];
    if (spec !== undefined) return { spec, own };
    const result =
      find(name) ?? failUnknown("inputs", "an input or a layer of the model", name, [...names, ...paths(places)]);
    return { spec: describeResult(result), result };
  });
  const outputs = (cut.outputs ?? ownOutputs).map((name) => {
    const own = ownOutputs.indexOf(name);
    if (own >= 0) return { name, own };
    const result =
      find(name) ??
      failUnknown("outputs", "an output or a layer of the model", name, [...ownOutputs, ...paths(places)]);
    return { name, result };
  });
  const kept = new Set(inputs.map(({ own }) => own));
  const replacedInputs = ownInputs.filter((_, index) => !kept.has(index));

  const compute: TensorFunction = (...tensors) => {
    const rest = tensors.slice(inputs.length);
    const ownTensors = ownInputs.map((spec, index) => {
      const at = inputs.findIndex(({ own }) => own === index);
      return tensors[at] ?? rest[replacedInputs.indexOf(spec)] ?? makeZeros(spec, tensors[0]?.shape[0] ?? 1);
    });
    const replacements = inputs.flatMap(({ result }, index) => {
      const tensor = tensors[index];
      return result === undefined || tensor === undefined ? [] : [{ result, tensor }];
    });
    const wanted = outputs.flatMap(({ result }) => result ?? []);
    const watch = watchResults(replacements, wanted);
    try {
      const apply = (): unknown => model.apply(ownTensors, { training: false });
      const applied = withFreshStates(places, apply) as tf.Tensor | tf.Tensor[];
      const own = Array.isArray(applied) ? applied : [applied];
      return outputs.map(({ name, own: index, result }) => {
        const tensor = result === undefined ? own[index] : watch.take(result);
        return tensor ?? failUnknown("outputs", "a layer that runs, with as many results", name, paths(places));
      });
    } finally {
      watch.stop();
    }
  };
  return {
    inputs: inputs.map(({ spec }) => spec),
    outputNames: outputs.map(({ name }) => name),
    replacedInputs,
    compute,
    places,
  };
}

// Two tensors of one layer have that layer's name both.
function makeUnique(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let copy = 1; used.has(unique); copy++) unique = `${name}_${copy}`;
    used.add(unique);
    return unique;
  });
}

function paths(places: readonly LayerPlace[]): readonly string[] {
  return places.filter(({ layer }) => layer.getClassName() !== "InputLayer").map(({ path }) => path);
}

function findResult(places: readonly LayerPlace[]): (name: string) => LayerResult | undefined {
  const byPath = new Map(places.map((place) => [place.path, place]));
  return (name) => {
    const [, path, index] = /^(.*?)(?::(\d+))?$/s.exec(name) ?? [];
    const place = byPath.get(path ?? "");
    return place === undefined ? undefined : { name, place, index: Number(index ?? 0) };
  };
}

function describeTensor(name: string, { dtype, shape }: { dtype: string; shape: tf.Shape }): TensorSpec {
  return { name, dtype: dtype as Dtype, shape };
}

function describeResult({ name, place, index }: LayerResult): TensorSpec {
  const results = place.layer.inboundNodes.flatMap((node) => node.outputTensors);
  const symbolic = results[index];
  if (symbolic === undefined) {
    return failUnknown(
      "inputs",
      `a result of ${place.path}`,
      name,
      results.map((_, at) => `${place.path}:${at}`),
    );
  }
  return describeTensor(name, symbolic);
}

function makeZeros({ dtype, shape }: TensorSpec, batchSize: number): tf.Tensor {
  return tf.zeros(
    shape.map((size, axis) => size ?? (axis === 0 ? batchSize : arbitrarySize)),
    dtype,
  );
}
