import { bindWeights, type ModelCut, type TensorFunction, type WeightData, type WeightSpec } from "@ckpt/graph";
import { CkptError, type Signature } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { findArtifact, requireReplaceable } from "./artifact-folder.js";
import { findSavedWeights } from "./bind-saved-weights.js";
import {
  captureLiveFunction,
  captureLiveModel,
  captureVariablesModel,
  type Computation,
  type FunctionOptions,
  type VariablesModel,
} from "./computation.js";
import { digestBound, digestTemplate } from "./digest-template.js";
import type { EarlierArtifact } from "./earlier-artifact.js";
import { type FormatOptions, type FreezeResult, toArtifactRequest } from "./freeze-options.js";
import { readTensor, withWeights } from "./live-weights.js";
import { describeArtifact } from "./progress.js";
import type { SavedWeight } from "./saved-weights.js";
import { createFunctionRunner } from "./verify/tfjs-runner.js";
import { writeArtifact } from "./write-artifact.js";

/** A captured computation, to be frozen with any number of weights. */
export interface Template {
  readonly signature: Signature;
  /** What can be bound. */
  readonly weights: readonly WeightSpec[];
  /**
   * Puts weights in: those given, such as `readWeights` reads them from a checkpoint, by their names in a saved model or
   * by the keys of `weights`; without an argument the present ones. They are copied or kept as they are at this moment.
   *
   * @throws {CkptError} WEIGHTS_MISMATCH when one is missing or has another dtype or shape; INVALID_OPTION for other
   *   values of a tensor that is no variable: the function could not be compared with them.
   */
  bind(weights?: ReadonlyMap<string, SavedWeight> | tf.NamedTensorMap): BoundTemplate;
}

/** A computation with its weights. */
export interface BoundTemplate {
  readonly signature: Signature;
  /** SHA-256 over the captured graph and the weights: the identity of the source in an artifact. */
  readonly digest: string;
  /**
   * Freezes it into the folder `out`, as `freeze` does a model from files, and compares every format with the model or
   * function itself, which for that gets these weights for the time of a call.
   *
   * @throws {CkptError} as `freeze`.
   */
  write(out: string, options?: FormatOptions): Promise<FreezeResult>;
}

/** Captures a LayersModel, or the piece of it that the cut names. Its weights may go on changing: `bind` reads them. */
export function capture(model: tf.LayersModel, cut?: ModelCut): Template;
/** Captures a function that takes a tensor for each input, in their order. */
export function capture(compute: TensorFunction, options: FunctionOptions): Template;
/** Captures a model written by hand, as the trainer's `createVariablesState` takes it. */
export function capture(model: VariablesModel): Template;
/**
 * Captures what is in memory, by running it on a few small batches; afterwards it and the engine are as before.
 *
 * @throws {CkptError} INVALID_OPTION for anything else, and what `captureModel` of `@ckpt/graph` throws.
 */
export function capture(
  source: tf.LayersModel | TensorFunction | VariablesModel,
  options: ModelCut | FunctionOptions = {},
): Template {
  if (source instanceof tf.LayersModel) {
    const cut = options as ModelCut;
    return createTemplate(captureLiveModel(source, cut), cut);
  }
  if (typeof source !== "function") {
    requireVariablesModel(source);
    return createTemplate(captureVariablesModel(source), {});
  }
  if (!("inputs" in options)) {
    throw new CkptError("INVALID_OPTION", { option: "inputs", expected: "a function's inputs", found: "none" });
  }
  return createTemplate(captureLiveFunction(source, options as FunctionOptions), {});
}

/** Programs in JavaScript pass anything, a loaded GraphModel for one. */
function requireVariablesModel(source: unknown): void {
  const isObject = typeof source === "object" && source !== null;
  if (isObject && "variables" in source && "predict" in source && "inputs" in source) return;
  const expected =
    "a LayersModel, a function or { variables, predict, inputs }; a GraphModel by its model.json: freeze";
  const found = isObject ? source.constructor.name : typeof source;
  throw new CkptError("INVALID_OPTION", { option: "model", expected, found });
}

function createTemplate(computation: Computation, cut: ModelCut): Template {
  const { kind, label, graph: template, corrections, weights: own, compute } = computation;
  const { signature, probeShapes, weights: specs } = template;
  const topologyDigest = digestTemplate(template);
  const tensors = new Map(own.map(({ key, tensor }) => [key, tensor]));
  let earlier: EarlierArtifact | undefined;
  const untold = [...corrections];
  const readOwn = (): ReadonlyMap<string, WeightData> =>
    new Map([...tensors].map(([key, tensor]) => [key, readTensor(tensor, `weight ${key}`)]));

  const bindValues = (values: ReadonlyMap<string, WeightData>): BoundTemplate => {
    const graph = bindWeights(template, values);
    const digest = digestBound(template, topologyDigest, values);
    const reference = createFunctionRunner(withWeights(compute, own, values));
    return {
      signature,
      digest,
      write: async (out, options = {}) => {
        const request = toArtifactRequest(options, cut);
        const { onProgress = () => {} } = options;
        const found = await findArtifact(out, { kind, digest }, request);
        if (found === undefined) await requireReplaceable(out);
        for (const reason of found === undefined ? untold.splice(0) : []) {
          onProgress({ kind: "corrected", source: label, backend: tf.getBackend(), reason });
        }
        const result =
          found ??
          (await writeArtifact(
            { graph, signature, probeShapes, probe: [], reference, source: { kind, digest }, label },
            { ...request, out, onProgress, earlier },
          ));
        earlier = { path: out, files: result.manifest.files };
        onProgress(describeArtifact(label, result, { index: 1, count: 1 }));
        return result;
      },
    };
  };
  return {
    signature,
    weights: specs,
    bind: (weights) => {
      if (weights === undefined) return bindValues(readOwn());
      const values = findSavedWeights(template, weights instanceof Map ? weights : readTensors(weights));
      for (const { key } of specs) {
        const tensor = tensors.get(key);
        if (tensor === undefined || tensor instanceof tf.Variable || !values.has(key)) continue;
        throw new CkptError("INVALID_OPTION", { option: "weights", expected: "variables", found: `the tensor ${key}` });
      }
      return bindValues(values);
    },
  };
}

function readTensors(tensors: ReadonlyMap<string, SavedWeight> | tf.NamedTensorMap): ReadonlyMap<string, SavedWeight> {
  return new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, { name, ...readTensor(tensor, `weight ${name}`) }]),
  );
}
