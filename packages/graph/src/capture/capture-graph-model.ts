import { CkptError, type Dtype, type TensorSpec } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

import type { GraphTemplate } from "../template/graph-template.js";
import { captureFunction } from "./capture-function.js";
import { checkCut, failUnknown, type ModelCut } from "./model-cut.js";
import type { TensorFunction } from "./record-trace.js";

/** A captured GraphModel with the function that it is. */
export interface CapturedGraphModel {
  readonly template: GraphTemplate;
  /** The model's own computation: one tensor for each input of the signature, its outputs in order. */
  readonly compute: TensorFunction;
}

/** Of a signature of TensorFlow.js: the tensor behind each name. */
type TensorNames = Readonly<Record<string, { readonly name: string }>>;

/**
 * Captures a GraphModel, or the piece of it that a cut names, by running it: what its graph has fused comes out as single
 * operations. Names and order of inputs and outputs are those of its signature, or of `structuredOutputKeys` where it
 * has these. Its weights are those of rank 1 and more that are float32; the rest are fixed constants.
 *
 * @param nodeNames - Of all nodes: what a cut may name.
 * @throws {CkptError} UNSUPPORTED_OP for control flow; INVALID_OPTION for what `nodeNames` does not have; else as
 *   `captureModel`.
 */
export function captureGraphModel(
  model: tf.GraphModel,
  nodeNames: readonly string[],
  cut: ModelCut = {},
): CapturedGraphModel {
  checkCut(cut);
  // Typed as an object, but old converters wrote none.
  const signature = model.modelSignature as
    | { readonly inputs?: TensorNames; readonly outputs?: TensorNames }
    | undefined;
  const own = describeInputs(model, signature?.inputs ?? {});
  const outputs = nameOutputs(model, signature?.outputs ?? {});
  const weights = Object.fromEntries(
    Object.entries(model.weights).flatMap(([name, [tensor]]) =>
      tensor?.dtype === "float32" && tensor.rank > 0 ? [[name, tensor] as const] : [],
    ),
  );
  const capture = (inputs: readonly TensorSpec[], named: readonly NamedOutput[]): CapturedGraphModel => {
    const compute: TensorFunction = (...tensors) =>
      model.execute(
        Object.fromEntries(inputs.map(({ name }, index) => [name, tensors[index] as tf.Tensor])),
        named.map(({ tensor }) => tensor),
      );
    const checked: TensorFunction = (...tensors) => failForControlFlow(() => compute(...tensors));
    const names = named.map(({ name }) => name);
    return { template: captureFunction(checked, { inputs, outputs: names }, { weights }), compute };
  };

  const known = new Set(nodeNames);
  const isNode = (name: string): boolean => known.has(name.replace(/:\d+$/, ""));
  const chosen = (cut.outputs ?? outputs.map(({ name }) => name)).map((name): NamedOutput => {
    const tensor = outputs.find((output) => output.name === name)?.tensor ?? (isNode(name) ? name : undefined);
    return { name, tensor: tensor ?? failUnknown("outputs", "an output or a node of the model", name, nodeNames) };
  });
  const inputs = (cut.inputs ?? own.map(({ name }) => name)).map((name): TensorSpec => {
    const spec = own.find((input) => input.name === name);
    if (spec !== undefined) return spec;
    if (!isNode(name)) failUnknown("inputs", "an input or a node of the model", name, nodeNames);
    // What a node in the middle gives is known once the part before it has been captured.
    const [found] = capture(own, [{ name, tensor: name }]).template.signature.outputs;
    return { name, dtype: found?.dtype ?? "float32", shape: found?.shape ?? [] };
  });
  return capture(inputs, chosen);
}

/** An output by the name it is to have, and by what `execute` knows it by. */
interface NamedOutput {
  readonly name: string;
  readonly tensor: string;
}

function describeInputs(model: tf.GraphModel, signature: TensorNames): readonly TensorSpec[] {
  const names = Object.keys(signature).length > 0 ? Object.keys(signature) : model.inputNodes;
  return names.map((name) => {
    const node = (signature[name]?.name ?? name).replace(/:\d+$/, "");
    const found = model.inputs.find((input) => input.name === node);
    const shape = found?.shape as readonly number[] | undefined;
    if (shape === undefined) {
      throw new CkptError("UNSUPPORTED_SHAPE", { where: `input ${name}`, shape: [], reason: "its rank is not known" });
    }
    return { name, dtype: found?.dtype as Dtype, shape: shape.map((size) => (size < 0 ? null : size)) };
  });
}

function nameOutputs(model: tf.GraphModel, signature: TensorNames): readonly NamedOutput[] {
  const tensors = Object.keys(signature).length > 0 ? Object.keys(signature) : model.outputNodes;
  const structured: unknown = model.modelStructuredOutputKeys;
  const keys = Array.isArray(structured) && structured.length === tensors.length ? structured : tensors;
  return tensors.map((tensor, index) => ({ name: String(keys[index]), tensor }));
}

/** TensorFlow.js says of a loop or a branch that it takes `executeAsync`, which cannot be recorded as one sequence. */
function failForControlFlow<Result>(execute: () => Result): Result {
  try {
    return execute();
  } catch (cause) {
    if (!(cause instanceof Error) || !cause.message.includes("executeAsync")) throw cause;
    const [, node = "a node", op = "control flow"] =
      /node '(.*?)', which has the dynamic op '(.*?)'/.exec(cause.message) ?? [];
    const reason = "control flow, or a size that depends on values, which TensorFlow.js runs with executeAsync only";
    throw new CkptError("UNSUPPORTED_OP", { format: "a graph", ops: [{ op, reason, layers: [node] }] }, { cause });
  }
}
