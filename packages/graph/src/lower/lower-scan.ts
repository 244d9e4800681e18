import type { ProgramBody, ProgramCall, ProgramWeight, SizedTensor } from "../capture/captured-program.js";
import type { ScanAttributes, TracedCell } from "../capture/trace.js";
import { attribute } from "../ir/attribute.js";
import type { Constant, Graph, RecurrentCell } from "../ir/graph.js";
import { staticSize } from "../ir/size.js";
import { removeDeadNodes } from "../passes/remove-dead-nodes.js";
import { createGraphBuilder, type GraphBuilder } from "./lowering-builder.js";
import type { Value } from "./lowering.js";

/** The surroundings of a recurrent region. */
export interface LowerScanOptions {
  /** The inputs of the call. */
  readonly inputs: readonly Value[];
  readonly build: GraphBuilder;
  readonly weights: ReadonlyMap<string, ProgramWeight>;
  /** Adds the body's calls to a graph of its own and gives its outputs: the output of the step and the next states. */
  readonly lowerBody: (inputs: readonly Value[], build: GraphBuilder) => readonly Value[];
}

function describeCell(
  cell: TracedCell | null,
  weights: ReadonlyMap<string, ProgramWeight>,
): { readonly cell?: RecurrentCell } {
  if (cell === null) return {};
  const find = (key: string): Constant => {
    const weight = weights.get(key);
    if (weight === undefined) throw new TypeError(`The program has no weight ${key}.`);
    return { dtype: weight.dtype, shape: weight.shape, values: weight.values, weight: key };
  };
  const { kind, activation, recurrentActivation, kernel, recurrentKernel, bias } = cell;
  return {
    cell: {
      kind,
      activation,
      ...(recurrentActivation === null ? {} : { recurrentActivation }),
      kernel: find(kernel),
      recurrentKernel: find(recurrentKernel),
      ...(bias === null ? {} : { bias: find(bias) }),
    },
  };
}

// All steps of the output; only the last of them is asked for where it is none of the states.
function lastStep(build: GraphBuilder, sequence: Value): Value {
  const [batch, , ...rest] = sequence.sizes;
  return build.add(
    "StridedSlice",
    [sequence, build.ints([0, -1]), build.ints([0, 0]), build.ints([1, 1])],
    { dtype: sequence.dtype, sizes: batch === undefined ? rest : [batch, ...rest] },
    { begin_mask: attribute.int(1), end_mask: attribute.int(1), shrink_axis_mask: attribute.int(2) },
  );
}

/**
 * Translates a recurrent region into a `Scan` and gives what the layer gives: its output, then its last states. A
 * sequence of outputs is kept only where it is needed.
 */
export function lowerScan(
  call: ProgramCall,
  body: ProgramBody,
  { inputs, build, weights, lowerBody }: LowerScanOptions,
): readonly Value[] {
  const { sequenceCount, stateCount, returnsSequence, cell } = call.attributes[0] as unknown as ScanAttributes;
  const inner = createGraphBuilder();
  const values = body.inputs.map((tensor, index) => {
    inner.enterLayer(call.layer);
    const kind = index < sequenceCount ? "slice" : index < sequenceCount + stateCount ? "state" : "capture";
    return inner.placeholder(kind, tensor);
  });
  const [output, ...states] = lowerBody(values, inner);
  const [given, ...lastStates] = call.outputs;
  const time = inputs[0]?.sizes[1] ?? staticSize(1);
  if (output === undefined || given === undefined) throw new TypeError("A recurrent region has no output.");

  const same = states.findIndex(({ ref }) => ref.node === output.ref.node && ref.output === output.ref.output);
  const needsSequence = returnsSequence || same === -1;
  const [batch = staticSize(1), ...rest] = output.sizes;
  const sequence: SizedTensor = { dtype: output.dtype, sizes: [batch, time, ...rest] };
  const graph: Graph = removeDeadNodes({
    inputs: values.map(({ ref }, index) => ({ name: `input_${index}`, node: ref.node })),
    outputs: (needsSequence ? [...states, output] : states).map(({ ref }, index) => ({
      name: `output_${index}`,
      value: ref,
    })),
    nodes: inner.nodes,
  });
  const outputs = build.scan(inputs, needsSequence ? [...lastStates, sequence] : lastStates, {
    sequenceCount,
    stateCount,
    body: graph,
    ...describeCell(cell, weights),
  });
  const all = outputs[stateCount];
  const last = outputs[same];
  if (all === undefined) return last === undefined ? [] : [last, ...outputs];
  return [returnsSequence ? all : lastStep(build, all), ...outputs.slice(0, stateCount)];
}
