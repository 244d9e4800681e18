import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import {
  AttrValueSchema,
  DataType,
  type NodeDef,
  NodeDefSchema,
  type TensorProto,
  TensorProtoSchema,
} from "../proto/gen/tensorflow/graph_pb.js";
import { toTypeAttribute, typeAttribute } from "./attributes.js";
import { narrowType } from "./narrow-tensor.js";

/** Fixed values of placeholders by name, as text: `false`, `1`, `0.5`. */
export type Pins = Readonly<Record<string, string>>;

const placeholders: ReadonlySet<string> = new Set(["Placeholder", "PlaceholderV2"]);

/** Whether a node is fed at run time. */
export function isPlaceholder(node: NodeDef): boolean {
  return placeholders.has(node.op);
}

function refusePin(name: string, expected: string, found: string): never {
  throw new CkptError("INVALID_OPTION", { option: `--pin ${name}`, expected, found });
}

function parsePin(name: string, dtype: DataType, text: string): TensorProto {
  const scalar = { dtype, tensorShape: { dim: [] } };
  if (dtype === DataType.DT_BOOL) {
    const isTrue = /^(true|1)$/i.test(text);
    if (!isTrue && !/^(false|0)$/i.test(text)) return refusePin(name, "true or false", text);
    return create(TensorProtoSchema, { ...scalar, boolVal: [isTrue] });
  }
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return refusePin(name, "a number", text);
  if (dtype === DataType.DT_FLOAT) return create(TensorProtoSchema, { ...scalar, floatVal: [value] });
  if (dtype !== DataType.DT_INT32) return refusePin(name, "a number or a flag", DataType[dtype]);
  if (!Number.isInteger(value)) return refusePin(name, "a whole number", text);
  return create(TensorProtoSchema, { ...scalar, intVal: [value] });
}

function toConstant(node: NodeDef, text: string): NodeDef {
  const dtype = narrowType(typeAttribute(node, "dtype") ?? DataType.DT_FLOAT);
  return create(NodeDefSchema, {
    name: node.name,
    op: "Const",
    attr: {
      dtype: toTypeAttribute(dtype),
      value: create(AttrValueSchema, { value: { case: "tensor", value: parsePin(node.name, dtype, text) } }),
    },
  });
}

/**
 * Gives placeholders fixed values. One with a default that is not pinned has its default from now on.
 *
 * @throws {CkptError} INVALID_OPTION when a pin names no placeholder, or its value is none of the placeholder's type.
 */
export function pinPlaceholders(nodes: ReadonlyMap<string, NodeDef>, pins: Pins): ReadonlyMap<string, NodeDef> {
  for (const [name, text] of Object.entries(pins)) {
    const node = nodes.get(name);
    if (node === undefined || (!isPlaceholder(node) && node.op !== "PlaceholderWithDefault")) {
      const known = [...nodes.values()].filter(isPlaceholder).map((each) => each.name);
      refusePin(name, `a placeholder: ${known.join(", ")}`, text);
    }
  }
  return new Map(
    [...nodes].map(([name, node]) => {
      const pin = Object.hasOwn(pins, name) ? pins[name] : undefined;
      if (pin !== undefined) return [name, toConstant(node, pin)];
      return [name, node.op === "PlaceholderWithDefault" ? create(NodeDefSchema, { ...node, op: "Identity" }) : node];
    }),
  );
}
