import { tf } from "#tfjs";

import { failImpure } from "./fail-impure.js";
import { interceptEngine } from "./intercept-engine.js";
import { recordRecurrent } from "./record-recurrent.js";
import { recordTimeDistributed } from "./record-time-distributed.js";
import type { RegionRecorder } from "./region-recorder.js";
import { checkDtype } from "./tensor-values.js";
import { TraceFrame } from "./trace-frame.js";
import type { KernelCall, Trace } from "./trace.js";

/** A computation on tensors; what it returns is in the order of the signature's outputs. */
export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** A computation whose result is there later. */
export type LaterTensorFunction = (...inputs: tf.Tensor[]) => Promise<tf.Tensor | tf.Tensor[]>;

/** What a trace has to know besides the inputs. */
export interface RecordTraceOptions {
  /** The current weights by key. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
  /** Path of the layer that is being called. */
  readonly currentLayer: () => string;
  /** Whether what runs now may read values: it only checks them, and what it computes does not depend on them. */
  readonly isReadAllowed?: (() => boolean) | undefined;
}

/** A trace that is being recorded: the engine is hooked until `restore`. */
interface Recording {
  /** What was recorded, given what the computation returned. */
  readonly finish: (result: tf.Tensor | tf.Tensor[]) => Trace;
  readonly restore: () => void;
}

/**
 * Runs the function once and records its outermost kernel calls. Calls that depend on neither input nor weight are
 * not recorded: their results are constants. A recurrent layer is recorded as one call with the step it repeats. The
 * engine is as before afterwards, also after an error; the caller wraps this in `tf.tidy`.
 *
 * @throws {CkptError} IMPURE_COMPUTATION when it reads a value that depends on an input or a weight, or assigns a variable.
 */
export function recordTrace(compute: TensorFunction, inputs: readonly tf.Tensor[], options: RecordTraceOptions): Trace {
  const recording = startRecording(inputs, options);
  try {
    return recording.finish(compute(...inputs));
  } finally {
    recording.restore();
  }
}

/**
 * As {@link recordTrace}, of a function that waits in between, such as a graph with loops in TensorFlow.js. Nothing else may
 * use the engine meanwhile.
 */
export async function recordTraceLater(
  compute: LaterTensorFunction,
  inputs: readonly tf.Tensor[],
  options: RecordTraceOptions,
): Promise<Trace> {
  const recording = startRecording(inputs, options);
  try {
    return recording.finish(await compute(...inputs));
  } finally {
    recording.restore();
  }
}

/** A thousand steps of recurrence are some 30,000; a loop that never ends would take all memory. */
const maxRunCount = 250_000;

function startRecording(
  inputs: readonly tf.Tensor[],
  { weights, currentLayer, isReadAllowed = () => false }: RecordTraceOptions,
): Recording {
  // Reads go by buffer, not by tensor: a reshaped tensor shares the buffer of its source.
  const tracedData = new Set<object>();
  const fail = (reason: string): never => failImpure(currentLayer(), reason);
  const readReason = "it reads the values of a tensor that depends on its inputs or weights";
  let readLaterIn: string | undefined;
  let isSuspended = false;
  let runCount = 0;

  const engine = interceptEngine({
    onKernel: (kernel, named, attributes, run) => {
      if (++runCount > maxRunCount) fail(`it does not end within ${maxRunCount.toLocaleString("en")} operations`);
      if (isSuspended) return run();
      const entries = Object.entries(named).filter(
        (entry): entry is [string, tf.Tensor] => entry[1] instanceof tf.Tensor,
      );
      if (!entries.some(([, tensor]) => frame.findTraced(tensor) !== undefined)) return run();
      // Before the call: a kernel may return the very tensor it was given.
      const callInputs = entries.map(([slot, tensor]) => frame.findArgument(slot, tensor));
      const result = run();
      addCall({ kernel, inputs: callInputs, attributes: { ...attributes } }, Array.isArray(result) ? result : [result]);
      return result;
    },
    onRecurrent: (layer, layerInputs, options, run) => recordRecurrent(layer, layerInputs, options, run, recorder),
    onTimeDistributed: (layer, layerInputs, options, run) =>
      recordTimeDistributed(layer, layerInputs, options, run, recorder),
    onRead: (dataId) => {
      if (tracedData.has(dataId) && !isReadAllowed()) fail(readReason);
    },
    onReadLater: (dataId) => {
      if (tracedData.has(dataId)) readLaterIn ??= currentLayer();
    },
    onAssign: (variable) => fail(`it assigns the variable ${variable}`),
  });

  const addCall = (call: Omit<KernelCall, "layer" | "outputs">, results: readonly tf.Tensor[]): void => {
    const layer = currentLayer();
    const where = `kernel ${call.kernel}${layer === "" ? "" : ` of layer ${layer}`}`;
    const outputs = results.map(({ dtype, shape }) => ({ dtype: checkDtype(dtype, where), shape: [...shape] }));
    frame.addCall({ ...call, layer, outputs }, results);
    for (const tensor of results) tracedData.add(tensor.dataId);
  };
  const source = { currentLayer, readNumbers: engine.readNumbers };
  let frame = new TraceFrame(source);
  const addInput = (tensor: tf.Tensor): void => {
    frame.addInput(tensor);
    tracedData.add(tensor.dataId);
  };
  const recorder: RegionRecorder = {
    suspend: (run) => {
      isSuspended = true;
      try {
        return run();
      } finally {
        isSuspended = false;
      }
    },
    recordBody: (bodyInputs, run) => {
      const outer = frame;
      const inner = new TraceFrame(source, outer);
      frame = inner;
      try {
        bodyInputs.forEach(addInput);
        const results = run();
        return { ...inner.finish(results), captured: inner.captured, results };
      } finally {
        frame = outer;
      }
    },
    addCall: ({ kernel, attributes, inputs: callInputs, results, body }) => {
      const inputs = callInputs.map((tensor, index) => frame.findArgument(String(index), tensor));
      addCall({ kernel, inputs, attributes, body }, results);
    },
    findWeight: (tensor) => {
      const operand = frame.findTraced(tensor);
      return operand?.kind === "weight" ? operand.key : undefined;
    },
  };

  try {
    inputs.forEach(addInput);
    for (const [key, weight] of weights) {
      frame.addWeight(key, weight);
      tracedData.add(weight.dataId);
    }
  } catch (error) {
    engine.restore();
    throw error;
  }
  return {
    finish: (result) => {
      if (readLaterIn !== undefined) failImpure(readLaterIn, readReason);
      return frame.finish(Array.isArray(result) ? result : [result]);
    },
    restore: engine.restore,
  };
}
