import { CkptError } from "@ckpt/manifest";

import type {
  CapturedProgram,
  ProgramBody,
  ProgramCall,
  ProgramConstant,
  ProgramWeight,
} from "../capture/captured-program.js";
import { findLiveCalls } from "../capture/find-live-calls.js";
import { listNear } from "../capture/fit-output.js";
import { fitSize } from "../capture/fit-size.js";
import type { SizeSymbol } from "../capture/size-fitter.js";
import type { Operand } from "../capture/trace.js";
import { listConstants } from "../ir/graph-index.js";
import { toSymbolicShape } from "../ir/size.js";
import { validateGraph } from "../ir/validate.js";
import { removeDeadNodes } from "../passes/remove-dead-nodes.js";
import type { GraphTemplate } from "../template/graph-template.js";
import { lowerScan } from "./lower-scan.js";
import { createGraphBuilder, type GraphBuilder } from "./lowering-builder.js";
import { type LoweringCall, UnsupportedKernel, type Value } from "./lowering.js";
import { refusalOf } from "./refused-kernels.js";
import { lowerings } from "./registry.js";

function failMissing(what: string): never {
  throw new UnsupportedKernel(`it has no ${what}`);
}

function lookUp<Item>(item: Item | undefined): Item {
  if (item === undefined) throw new TypeError("The program refers to a value that it does not have.");
  return item;
}

// The value under a key, made at the first request.
function remember<Key>(values: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}

function describeCall(
  source: ProgramCall,
  inputs: readonly Value[],
  constants: readonly ProgramConstant[],
  symbols: readonly SizeSymbol[],
  known: readonly number[],
): LoweringCall {
  const optionalInput = (slot: string): Value | undefined =>
    inputs[source.inputs.findIndex((input) => input.slot === slot)];
  return {
    kernel: source.kernel,
    source,
    inputs,
    outputs: source.outputs,
    optionalInput,
    constant: (slot) => {
      const operand = source.inputs.find((input) => input.slot === slot)?.operand;
      return operand?.kind === "constant" ? constants[operand.index] : undefined;
    },
    input: (slot) => optionalInput(slot) ?? failMissing(`argument ${slot}`),
    output: () => source.outputs[0] ?? failMissing("output"),
    fitSize: (observed, axis) => fitSize(observed, { symbols, near: listNear(inputs, axis), far: known }),
  };
}

/** What could not be translated, by kernel and reason. */
type UnsupportedKernels = Map<string, { op: string; reason: string; layers: Set<string> }>;

/** What the lowering of a body shares with that of the computation around it. */
interface LoweringContext {
  readonly weights: ReadonlyMap<string, ProgramWeight>;
  readonly symbols: readonly SizeSymbol[];
  readonly unsupported: UnsupportedKernels;
}

// Adds the calls that the outputs need and gives the outputs.
function lowerCalls(
  program: Omit<ProgramBody, "inputs">,
  inputs: readonly Value[],
  build: GraphBuilder,
  context: LoweringContext,
): readonly Value[] {
  const { weights, symbols, unsupported } = context;
  const weightValues = new Map<string, Value>();
  const constantValues = new Map<number, Value>();
  const callValues = new Map<number, readonly Value[]>();

  const resolve = (operand: Operand): Value => {
    if (operand.kind === "input") return lookUp(inputs[operand.index]);
    if (operand.kind === "call") return lookUp(callValues.get(operand.index)?.[operand.output]);
    if (operand.kind === "weight") {
      const weight = lookUp(weights.get(operand.key));
      return remember(weightValues, operand.key, () => build.weight(weight));
    }
    const constant = lookUp(program.constants[operand.index]);
    return remember(constantValues, operand.index, () => build.constant(constant));
  };

  const live = findLiveCalls(program);
  for (const [index, source] of program.calls.entries()) {
    if (!live.has(index)) continue;
    const layer = source.layer === "" ? "no layer" : source.layer;
    const arguments_ = source.inputs.map((input) => {
      build.enterLayer(source.layer);
      return resolve(input.operand);
    });
    build.enterLayer(source.layer);
    const { body } = source;
    if (body !== undefined) {
      const lowerBody = (values: readonly Value[], inner: GraphBuilder): readonly Value[] =>
        lowerCalls(body, values, inner, context);
      const values = lowerScan(source, body, { inputs: arguments_, build, weights, lowerBody });
      callValues.set(index, values);
      for (const value of values) build.learnSizes(value);
      continue;
    }
    try {
      const lowering = lowerings[source.kernel];
      if (lowering === undefined) throw new UnsupportedKernel(refusalOf(source.kernel));
      const call = describeCall(source, arguments_, program.constants, symbols, build.knownSymbols());
      callValues.set(index, lowering(call, build));
    } catch (error) {
      if (!(error instanceof UnsupportedKernel)) throw error;
      const key = `${source.kernel} ${error.message}`;
      const entry = unsupported.get(key) ?? { op: source.kernel, reason: error.message, layers: new Set<string>() };
      entry.layers.add(layer);
      unsupported.set(key, entry);
      // Stands in for the result, so that the kernels after it are looked at too.
      callValues.set(index, build.addMany(source.kernel, arguments_, source.outputs));
    }
    for (const value of callValues.get(index) ?? []) build.learnSizes(value);
  }
  return program.outputs.map((output) => {
    build.enterLayer("");
    return resolve(output.operand);
  });
}

/**
 * Translates kernel calls of TensorFlow.js into a graph of TensorFlow operations.
 *
 * @throws {CkptError} UNSUPPORTED_OP with every kernel that has no counterpart and the layers it came from.
 */
export function lowerProgram(program: CapturedProgram): GraphTemplate {
  const build = createGraphBuilder();
  const inputs = program.inputs.map(({ name, dtype }, index) =>
    build.placeholder(name, { dtype, sizes: lookUp(program.inputSizes[index]) }),
  );
  const weights = new Map(program.weights.map((weight) => [weight.key, weight]));
  const unsupported: UnsupportedKernels = new Map();
  const { symbols } = program;
  const outputs = lowerCalls(program, inputs, build, { weights, symbols, unsupported }).map((value, index) => ({
    name: lookUp(program.outputNames[index]),
    value,
  }));
  if (unsupported.size > 0) {
    throw new CkptError("UNSUPPORTED_OP", {
      format: "a graph",
      ops: Array.from(unsupported.values(), ({ op, reason, layers }) => ({ op, reason, layers: [...layers] })),
    });
  }

  const graph = removeDeadNodes({
    inputs: program.inputs.map(({ name }, index) => ({ name, node: lookUp(inputs[index]).ref.node })),
    outputs: outputs.map(({ name, value }) => ({ name, value: value.ref })),
    nodes: build.nodes,
  });
  validateGraph(graph);
  const used = new Set(listConstants(graph).map((constant) => constant.weight));
  return {
    signature: {
      inputs: program.inputs,
      outputs: outputs.map(({ name, value }) => ({ name, dtype: value.dtype, shape: toSymbolicShape(value.sizes) })),
    },
    graph,
    weights: program.weights
      .filter((weight) => used.has(weight.key))
      .map(({ key, savedName, dtype, shape }) => ({ key, savedName, dtype, shape })),
    probeShapes: program.probeShapes,
  };
}
