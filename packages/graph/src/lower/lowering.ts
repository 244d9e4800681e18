import type { ProgramCall, ProgramConstant, SizedTensor } from "../capture/captured-program.js";
import type { Attribute, ValueRef } from "../ir/graph.js";
import type { Size } from "../ir/size.js";

/** A value of the graph under construction. */
export interface Value extends SizedTensor {
  readonly ref: ValueRef;
  /** Whether it changes from run to run: false for what is computed from weights and constants alone. */
  readonly dependsOnInput: boolean;
}

/** The arguments and attributes of one kernel call. */
export interface LoweringCall {
  readonly kernel: string;
  readonly outputs: readonly SizedTensor[];
  /** All arguments in order; for kernels that take a list. */
  readonly inputs: readonly Value[];
  /** An argument by name. */
  input(slot: string): Value;
  /** An argument by name that may be left out. */
  optionalInput(slot: string): Value | undefined;
  /** The argument of that name where it is an anonymous constant, no weight. */
  constant(slot: string): ProgramConstant | undefined;
  /** The first output; most kernels have one. */
  output(): SizedTensor;
  /** The source call, for {@link readAttribute} and the like. */
  readonly source: ProgramCall;
  /** The size that was `observed` in the traces, by sizes known before the call, those of `axis` of the arguments first. */
  fitSize(observed: readonly number[], axis: number): Size | undefined;
}

/** Attributes of a node by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** Appends nodes to the graph under construction, named after the layer of the call. */
export interface LoweringBuilder {
  /** A node with one output. */
  add(op: string, inputs: readonly Value[], output: SizedTensor, attributes?: Attributes): Value;
  /** A node with several outputs. */
  addMany(op: string, inputs: readonly Value[], outputs: readonly SizedTensor[], attributes?: Attributes): Value[];
  /** A float32 scalar. */
  float(value: number): Value;
  /** An int32 scalar. */
  int(value: number): Value;
  /** An int32 vector. */
  ints(values: readonly number[]): Value;
  /** An int32 vector of shape `[rows.length, 2]`, as paddings are given. */
  intPairs(rows: readonly (readonly [number, number])[]): Value;
  /** An int32 vector of sizes; computed from those of earlier values where one is not static. */
  sizes(sizes: readonly Size[]): Value;
  /** `value` in another shape of as many elements. */
  reshape(value: Value, sizes: readonly Size[]): Value;
}

/** Translates one kernel call into nodes and gives the values of its outputs. */
export type Lowering = (call: LoweringCall, build: LoweringBuilder) => readonly Value[];

/** Lowerings by kernel name. */
export type Lowerings = Readonly<Record<string, Lowering>>;

/** Thrown by a lowering for a variant of its kernel that has no counterpart; collected into one UNSUPPORTED_OP. */
export class UnsupportedKernel extends Error {}
