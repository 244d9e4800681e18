import type { Dtype } from "@ckpt/manifest";

import type { Attribute, SymbolicShape } from "./graph.js";

/** The attributes of a node, written by their kind. */
export const attribute: {
  readonly int: (value: number) => Attribute;
  readonly float: (value: number) => Attribute;
  readonly bool: (value: boolean) => Attribute;
  readonly string: (value: string) => Attribute;
  readonly type: (value: Dtype) => Attribute;
  readonly shape: (value: SymbolicShape) => Attribute;
  readonly ints: (value: readonly number[]) => Attribute;
} = {
  int: (value) => ({ kind: "int", value }),
  float: (value) => ({ kind: "float", value }),
  bool: (value) => ({ kind: "bool", value }),
  string: (value) => ({ kind: "string", value }),
  type: (value) => ({ kind: "type", value }),
  shape: (value) => ({ kind: "shape", value }),
  ints: (value) => ({ kind: "ints", value }),
};
