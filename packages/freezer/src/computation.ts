import {
  captureFunction,
  captureModel,
  correctKernels,
  createModelFunction,
  type FunctionSignature,
  type GraphTemplate,
  listModelWeights,
  type ModelCut,
  type ModelWeight,
  type TensorFunction,
} from "@ckpt/graph";
import type { ArtifactManifest, TensorSpec } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import { nameOutputs, type Predict } from "./function-outputs.js";

/** A function on tensors, with what it takes and what it rests on. */
export interface FunctionOptions {
  readonly inputs: readonly TensorSpec[];
  /** In full, to be checked, or by name. Default: `output`, or `output_0` and so on of several. */
  readonly outputs?: FunctionSignature["outputs"];
  /**
   * Tensors that the function uses and that other values may be bound to, by names of your own; those to be bound to other
   * values than their own have to be variables. What is not here is fixed.
   */
  readonly weights?: Readonly<Record<string, tf.Tensor>>;
}

/** A model written by hand, as the trainer's `createVariablesState` takes it. */
export interface VariablesModel {
  readonly variables: Readonly<Record<string, tf.Variable>>;
  readonly predict: Predict;
  readonly inputs: readonly TensorSpec[];
}

/** A captured computation in memory: the graph, and what it is to be compared with. */
export interface Computation {
  readonly kind: ArtifactManifest["source"]["kind"];
  /** What progress calls it. */
  readonly label: string;
  readonly graph: GraphTemplate;
  /** What TensorFlow.js computes wrong in it on the current backend; the artifact does not. */
  readonly corrections: ReadonlySet<string>;
  readonly weights: readonly ModelWeight[];
  readonly compute: TensorFunction;
}

/** Captures a model in memory, or the piece of it that the cut names. */
export function captureLiveModel(model: tf.LayersModel, cut: ModelCut): Computation {
  return {
    kind: "live-model",
    label: model.name,
    ...captureCorrected(() => captureModel(model, cut)),
    weights: listModelWeights(model),
    compute: createModelFunction(model, cut).compute,
  };
}

/** Captures a function whose inputs and outputs go by their positions. */
export function captureLiveFunction(compute: TensorFunction, options: FunctionOptions): Computation {
  const { inputs, weights = {} } = options;
  const outputs = options.outputs ?? nameOutputs((named) => compute(...Object.values(named)), inputs).outputNames;
  return describeFunction(compute, { inputs, outputs }, weights, compute.name);
}

/** Captures a model written by hand, whose inputs and outputs go by their names. */
export function captureVariablesModel({ variables, predict, inputs }: VariablesModel): Computation {
  const { compute, outputNames } = nameOutputs(predict, inputs);
  return describeFunction(compute, { inputs, outputs: outputNames }, variables, predict.name);
}

function describeFunction(
  compute: TensorFunction,
  signature: FunctionSignature,
  weights: Readonly<Record<string, tf.Tensor>>,
  name: string,
): Computation {
  return {
    kind: "function",
    label: name === "" ? "function" : name,
    ...captureCorrected(() => captureFunction(compute, signature, { weights })),
    weights: Object.entries(weights).map(([key, tensor]) => ({ key, savedName: key, tensor })),
    compute,
  };
}

function captureCorrected(capture: () => GraphTemplate): Pick<Computation, "graph" | "corrections"> {
  const corrections = new Set<string>();
  const graph = correctKernels(capture, (reason) => corrections.add(reason));
  return { graph, corrections };
}
