import { create } from "@bufbuild/protobuf";

import { type FunctionDef, FunctionDefSchema, NodeDefSchema } from "../../proto/gen/tensorflow/graph_pb.js";

/**
 * A function whose nodes have its name before theirs, as they have already where `emitGraphDef` wrote it. TensorFlow.js
 * keeps the constants of a graph and of all its functions by name alone.
 */
export function scopeFunction(body: FunctionDef): FunctionDef {
  const prefix = `${body.signature?.name ?? ""}/`;
  if (body.nodeDef.every(({ name }) => name.startsWith(prefix))) return body;
  const names = new Map(body.nodeDef.map(({ name }) => [name, `${prefix}${name}`] as const));
  const rename = (input: string): string => {
    const mark = input.startsWith("^") ? "^" : "";
    const [name = "", ...output] = input.slice(mark.length).split(":");
    const renamed = names.get(name);
    return renamed === undefined ? input : [`${mark}${renamed}`, ...output].join(":");
  };
  return create(FunctionDefSchema, {
    ...body,
    nodeDef: body.nodeDef.map((node) =>
      create(NodeDefSchema, { ...node, name: names.get(node.name) ?? node.name, input: node.input.map(rename) }),
    ),
    ret: Object.fromEntries(Object.entries(body.ret).map(([output, input]) => [output, rename(input)])),
    controlRet: Object.fromEntries(
      Object.entries(body.controlRet).map(([output, node]) => [output, names.get(node) ?? node]),
    ),
  });
}
