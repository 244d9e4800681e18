import type { Node, ValueRef } from "../../ir/graph.js";
import { type OnnxWriter, UnsupportedReason } from "./onnx-writer.js";

/** Writes one node of the IR as ONNX nodes. */
export type OnnxEmitter = (writer: OnnxWriter, node: Node) => void;

/** Emitters by operation of the IR. */
export type OnnxEmitters = Readonly<Record<string, OnnxEmitter>>;

/** Input `index` of a node. */
export function inputAt(node: Node, index: number): ValueRef {
  const value = node.inputs.at(index);
  if (value === undefined) {
    throw new UnsupportedReason(`input ${index} is missing`);
  }
  return value;
}

/** The elements of a constant input of numbers; `what` names it in the reason when it is not constant. */
export function constantInput(writer: OnnxWriter, node: Node, index: number, what: string): readonly number[] {
  const constant = writer.constant(inputAt(node, index));
  if (constant === undefined) {
    throw new UnsupportedReason(`${what} known only at run time`);
  }
  return Array.from(constant.values);
}

/** The one element of a constant input. */
export function constantScalar(writer: OnnxWriter, node: Node, index: number, what: string): number {
  return constantInput(writer, node, index, what)[0] ?? 0;
}

/** An input that holds sizes or indices, as ONNX takes them: int64, of one dimension. */
export function int64Input(writer: OnnxWriter, node: Node, index: number): string {
  const value = inputAt(node, index);
  const constant = writer.constant(value);
  return constant === undefined ? writer.cast(writer.input(value), "int64") : writer.int64(Array.from(constant.values));
}

/** The attribute `name`, an integer; `fallback` where it is missing. */
export function intAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" ? attribute.value : fallback;
}

/** The attribute `name`, a number; `fallback` where it is missing. */
export function floatAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "float" ? attribute.value : fallback;
}

/** The attribute `name`, `false` where it is missing. */
export function boolAttribute(node: Node, name: string): boolean {
  const attribute = node.attributes[name];
  return attribute?.kind === "bool" && attribute.value;
}

/** The attribute `name`, a text; `fallback` where it is missing. */
export function stringAttribute(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === "string" ? attribute.value : fallback;
}

/** The attribute `name`, a list; `fallback` where it is missing. */
export function intsAttribute(node: Node, name: string, fallback: readonly number[]): readonly number[] {
  const attribute = node.attributes[name];
  return attribute?.kind === "ints" ? attribute.value : fallback;
}
