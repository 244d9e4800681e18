import { create } from "@bufbuild/protobuf";

import { AttrValueSchema, type AttrValue, type DataType, type NodeDef } from "../proto/gen/tensorflow/graph_pb.js";

/** The integer attribute `name`; `fallback` where it is missing. */
export function intAttribute({ attr }: NodeDef, name: string, fallback: number): number {
  const value = attr[name]?.value;
  return value?.case === "i" ? Number(value.value) : fallback;
}

/** The flag `name`; `fallback` where it is missing. */
export function boolAttribute({ attr }: NodeDef, name: string, fallback: boolean): boolean {
  const value = attr[name]?.value;
  return value?.case === "b" ? value.value : fallback;
}

/** The element type in the attribute `name`. */
export function typeAttribute({ attr }: NodeDef, name: string): DataType | undefined {
  const value = attr[name]?.value;
  return value?.case === "type" ? value.value : undefined;
}

/** The text attribute `name`; empty where it is missing. */
export function textAttribute({ attr }: NodeDef, name: string): string {
  const value = attr[name]?.value;
  return value?.case === "s" ? new TextDecoder().decode(value.value) : "";
}

/** The name of the function in the attribute `name`. */
export function functionAttribute({ attr }: NodeDef, name: string): string | undefined {
  const value = attr[name]?.value;
  return value?.case === "func" ? value.value.name : undefined;
}

/** An attribute that holds an element type. */
export function toTypeAttribute(type: DataType): AttrValue {
  return create(AttrValueSchema, { value: { case: "type", value: type } });
}
