import type { Constant, Graph, Node, ValueInfo, ValueRef } from "../../ir/graph.js";
import { valueInfo } from "../bind-signature.js";
import { uniqueName } from "../separate-outputs.js";
import type { UnsupportedNode } from "../unsupported-ops.js";
import { type Layout, toChannelsFirst, toChannelsLast } from "./layout.js";
import type { OnnxAttribute, OnnxInitializer, OnnxNode } from "./onnx-attribute.js";
import { type OnnxType, toOnnxDataType, toOnnxType } from "./onnx-type.js";
import { reshapeConstant, transposeConstant } from "./transpose-constant.js";

/** Why a node cannot be written. Thrown by emitters, gathered into one error by `emitOnnx`. */
export class UnsupportedReason extends Error {}

/** Writes all nodes of a graph; `inputs` are the ONNX names of its inputs. */
export type EmitGraph = (graph: Graph, inputs: readonly string[], writer: OnnxWriter) => void;

/** What a writer shares with those of the bodies inside its graph. */
export interface OnnxWriterOptions {
  /** Names that no further value may take. */
  readonly taken: Set<string>;
  readonly emitGraph: EmitGraph;
  readonly unsupported?: UnsupportedNode[];
}

/**
 * Collects the ONNX graph while the nodes of the IR are emitted in order. A value of the IR may be held in either
 * layout or in both; it is transposed when first asked for in the one it is not in.
 */
export class OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  /** Nodes that could not be written, those in bodies too. */
  readonly unsupported: UnsupportedNode[];
  readonly #sources: ReadonlyMap<string, Node>;
  /** ONNX names by IR value, `node:output`, and layout. */
  readonly #names = new Map<string, { channelsLast?: string; channelsFirst?: string }>();
  readonly #taken: Set<string>;
  readonly #emitGraph: EmitGraph;
  readonly #initializerNames = new Map<string, string>();
  #scope = "";

  constructor(graph: Graph, { taken, emitGraph, unsupported = [] }: OnnxWriterOptions) {
    this.#sources = new Map(graph.nodes.map((node) => [node.name, node]));
    this.#taken = taken;
    this.#emitGraph = emitGraph;
    this.unsupported = unsupported;
  }

  /**
   * Writes the body of the node that is being written. It sees all values around it, so no name of it is one of theirs.
   *
   * @param inputs - The ONNX names of the body's inputs, in order.
   */
  writeBody(body: Graph, inputs: readonly string[]): OnnxWriter {
    const writer = new OnnxWriter(body, {
      taken: this.#taken,
      emitGraph: this.#emitGraph,
      unsupported: this.unsupported,
    });
    this.#emitGraph(body, inputs, writer);
    return writer;
  }

  /** A name that no value has yet, made from that of the node being written. */
  claim(): string {
    return this.#claim(this.#scope);
  }

  /** Names what is written from now on after this node. */
  enter(node: Node): void {
    this.#scope = node.name;
  }

  info(value: ValueRef): ValueInfo {
    return valueInfo(this.#sources, value);
  }

  rank(value: ValueRef): number {
    return this.info(value).shape.length;
  }

  /** The constant behind a value, if it is one. */
  constant(value: ValueRef): Constant | undefined {
    return this.#sources.get(value.node)?.constant;
  }

  /** The layout that a value can be had in without a transposition. */
  layout(value: ValueRef): Layout {
    const names = this.#names.get(toKey(value));
    return names?.channelsFirst !== undefined && names.channelsLast === undefined ? "channelsFirst" : "channelsLast";
  }

  /** Says which ONNX value is output `output` of an IR node. */
  define(node: Node, output: number, name: string, layout: Layout = "channelsLast"): void {
    this.#names.set(toKey({ node: node.name, output }), { [layout]: name });
  }

  /** The ONNX name of a value in a layout. */
  input(value: ValueRef, layout: Layout = "channelsLast"): string {
    const key = toKey(value);
    const names = this.#names.get(key) ?? {};
    const found = names[layout] ?? this.#inOtherLayout(value, layout, names);
    this.#names.set(key, { ...names, [layout]: found });
    return found;
  }

  #inOtherLayout(value: ValueRef, layout: Layout, names: { channelsLast?: string; channelsFirst?: string }): string {
    const rank = this.rank(value);
    const permutation = layout === "channelsFirst" ? toChannelsFirst(rank) : toChannelsLast(rank);
    const constant = this.constant(value);
    if (constant !== undefined) {
      const held = layout === "channelsFirst" ? transposeConstant(constant, permutation) : constant;
      return this.addConstant(held, value.node);
    }
    const other = names[layout === "channelsFirst" ? "channelsLast" : "channelsFirst"];
    if (other === undefined) {
      throw new TypeError(`${toKey(value)} is read before it is written`);
    }
    return this.write("Transpose", [other], { perm: { ints: permutation } });
  }

  /** The ONNX name of a value with its axes reordered and, if `shape` is given, then reshaped. */
  transposed(value: ValueRef, permutation: readonly number[], shape?: readonly number[]): string {
    const constant = this.constant(value);
    if (constant !== undefined) {
      const transposed = transposeConstant(constant, permutation);
      return this.addConstant(shape === undefined ? transposed : reshapeConstant(transposed, shape), value.node);
    }
    const name = this.write("Transpose", [this.input(value)], { perm: { ints: permutation } });
    return shape === undefined ? name : this.write("Reshape", [name, this.int64(shape)]);
  }

  /** Writes a node with one output and returns the output's name. */
  write(op: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const [output] = this.writeMany(op, inputs, attributes, 1);
    return output ?? "";
  }

  /** Writes a node with several outputs and returns their names. An empty input name leaves out an optional input. */
  writeMany(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    outputCount: number,
  ): readonly string[] {
    const outputs = Array.from({ length: outputCount }, () => this.#claim(this.#scope));
    this.nodes.push({ name: outputs[0] ?? "", op, inputs, outputs, attributes });
    return outputs;
  }

  /** Writes a conversion to another element type. */
  cast(name: string, type: OnnxType): string {
    return this.write("Cast", [name], { to: { int: toOnnxDataType(type) } });
  }

  /** Adds a constant of the IR; its name is made from `name`. */
  addConstant(constant: Constant, name: string): string {
    return this.#addInitializer(toOnnxType(constant.dtype, name), constant.shape, constant.values, name);
  }

  /** A one-dimensional int64 constant, as axes and shapes are given. */
  int64(values: readonly (number | bigint)[]): string {
    return this.#addShared("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A scalar constant. */
  scalar(value: number, type: "float32" | "int32" | "int64"): string {
    if (type === "int64") {
      return this.#addShared(type, [], BigInt64Array.of(BigInt(value)));
    }
    return this.#addShared(type, [], type === "float32" ? Float32Array.of(value) : Int32Array.of(value));
  }

  /** Equal constants of a few elements are stored once. */
  #addShared(type: OnnxType, shape: readonly number[], values: OnnxInitializer["values"]): string {
    const key = `${type} ${shape.join()} ${values.join()}`;
    const known = this.#initializerNames.get(key);
    if (known !== undefined) {
      return known;
    }
    const name = this.#addInitializer(type, shape, values, "constant");
    this.#initializerNames.set(key, name);
    return name;
  }

  #addInitializer(type: OnnxType, shape: readonly number[], values: OnnxInitializer["values"], hint: string): string {
    const name = this.#claim(hint);
    this.initializers.push({ name, type, shape, values });
    return name;
  }

  #claim(hint: string): string {
    const name = uniqueName(hint, this.#taken);
    this.#taken.add(name);
    return name;
  }
}

function toKey(value: ValueRef): string {
  return `${value.node}:${value.output}`;
}
