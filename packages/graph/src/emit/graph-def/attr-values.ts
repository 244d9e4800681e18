import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Dtype } from "@ckpt/manifest";

import type { Constant } from "../../ir/graph.js";
import {
  type AttrValue,
  type AttrValue_ListValueSchema,
  AttrValueSchema,
  DataType,
} from "../../proto/gen/tensorflow/graph_pb.js";
import { toDataType } from "./data-type.js";
import type { NodeScope } from "./node-scope.js";
import { toTensorProto } from "./tensor-proto.js";

const dataTypeAttribute = (type: DataType): AttrValue =>
  create(AttrValueSchema, { value: { case: "type", value: type } });

/** An attribute that is an element type. */
export function typeAttribute(dtype: Dtype): AttrValue {
  return dataTypeAttribute(toDataType(dtype));
}

/** The attribute that says int32. */
export const int32: AttrValue = dataTypeAttribute(DataType.DT_INT32);

/** An attribute that is a list. */
export function listAttribute(value: MessageInitShape<typeof AttrValue_ListValueSchema>): AttrValue {
  return create(AttrValueSchema, { value: { case: "list", value } });
}

/** An attribute that is a function of the library. */
export function functionAttribute(name: string): AttrValue {
  return create(AttrValueSchema, { value: { case: "func", value: { name } } });
}

/** Adds a constant that no node of the IR stands for, and gives it as an input. */
export function addTensor(scope: NodeScope, name: string, constant: Constant): string {
  const value = create(AttrValueSchema, { value: { case: "tensor", value: toTensorProto(constant) } });
  return scope.addNew(scope.claim(name), { op: "Const", attr: { dtype: typeAttribute(constant.dtype), value } });
}

/** Adds an int32 constant: a scalar for a number, a vector for a list. */
export function addInts(scope: NodeScope, name: string, values: number | readonly number[]): string {
  const list = typeof values === "number" ? [values] : values;
  const shape = typeof values === "number" ? [] : [list.length];
  return addTensor(scope, name, { dtype: "int32", shape, values: Int32Array.from(list) });
}
