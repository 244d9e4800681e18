import type * as tf from "@tensorflow/tfjs";

import { checkDtype, copyValues } from "./tensor-values.js";
import type { KernelCall, Operand, TracedArgument, TracedBody, TracedConstant, TracedTensor } from "./trace.js";

/** What a frame has to ask of the run that is being recorded. */
export interface TraceSource {
  /** Path of the layer that is being called. */
  readonly currentLayer: () => string;
  readonly readNumbers: (tensor: tf.Tensor) => ArrayLike<number>;
}

function describeTensor(tensor: tf.Tensor, where: string): TracedTensor {
  return { dtype: checkDtype(tensor.dtype, where), shape: [...tensor.shape] };
}

/**
 * One level of a trace: the whole computation, or the body of a region inside it. What a body uses of the levels around
 * it becomes one of its inputs; weights go by their keys on every level.
 */
export class TraceFrame {
  /** What the body has taken from around it, in the order of its last inputs. */
  readonly captured: tf.Tensor[] = [];
  readonly #calls: KernelCall[] = [];
  readonly #constants: TracedConstant[] = [];
  readonly #inputs: TracedTensor[] = [];
  readonly #operands = new Map<number, Operand>();
  readonly #source: TraceSource;
  readonly #parent: TraceFrame | undefined;

  constructor(source: TraceSource, parent?: TraceFrame) {
    this.#source = source;
    this.#parent = parent;
  }

  addInput(tensor: tf.Tensor): void {
    this.#operands.set(tensor.id, { kind: "input", index: this.#inputs.length });
    this.#inputs.push(describeTensor(tensor, "an input"));
  }

  addWeight(key: string, tensor: tf.Tensor): void {
    this.#operands.set(tensor.id, { kind: "weight", key });
  }

  /** Appends a call; `results` are its outputs as tensors. */
  addCall(call: KernelCall, results: readonly tf.Tensor[]): void {
    for (const [output, tensor] of results.entries()) {
      this.#operands.set(tensor.id, { kind: "call", index: this.#calls.length, output });
    }
    this.#calls.push(call);
  }

  /** Where a tensor comes from, if it depends on an input or a weight. */
  findTraced(tensor: tf.Tensor): Operand | undefined {
    const own = this.#operands.get(tensor.id);
    if (own !== undefined) return own.kind === "constant" ? undefined : own;
    const outer = this.#parent?.findTraced(tensor);
    if (outer === undefined) return undefined;
    if (outer.kind === "weight") {
      this.addWeight(outer.key, tensor);
    } else {
      this.addInput(tensor);
      this.captured.push(tensor);
    }
    return this.#operands.get(tensor.id);
  }

  /** A tensor as an argument: a constant if it comes from nowhere. */
  findArgument(slot: string, tensor: tf.Tensor): TracedArgument {
    const layer = this.#source.currentLayer();
    const info = describeTensor(tensor, layer === "" ? `a ${tensor.dtype} tensor` : `layer ${layer}`);
    let operand = this.findTraced(tensor) ?? this.#operands.get(tensor.id);
    if (operand === undefined) {
      operand = { kind: "constant", index: this.#constants.length };
      this.#constants.push({ ...info, layer, values: copyValues(info.dtype, this.#source.readNumbers(tensor)) });
      this.#operands.set(tensor.id, operand);
    }
    return { slot, operand, ...info };
  }

  /** Ends the frame with these outputs. */
  finish(outputs: readonly tf.Tensor[]): TracedBody {
    return {
      outputs: outputs.map((tensor, index) => this.findArgument(String(index), tensor)),
      inputs: this.#inputs,
      calls: this.#calls,
      constants: this.#constants,
    };
  }
}
