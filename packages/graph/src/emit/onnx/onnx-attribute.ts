import type { Constant } from "../../ir/graph.js";
import type { OnnxType } from "./onnx-type.js";

/** The value of an attribute of an ONNX node. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly graph: OnnxGraph };

/** A node of an ONNX graph. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant of an ONNX graph. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly values: Constant["values"] | BigInt64Array;
}

/** An input or output of an ONNX graph. A size is a number, a symbol, or not known at all. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string | undefined)[];
}

/** An ONNX graph: the whole one, or the body of a node, which sees the values around it too. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}
