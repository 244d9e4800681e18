import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

import type { Graph, ValueRef } from "../../ir/graph.js";
import { ModelProtoSchema, NodeProtoSchema, ValueInfoProtoSchema } from "../../proto/gen/onnx/onnx_pb.js";
import { uniqueName } from "../separate-outputs.js";
import { planOnnx } from "./emit-onnx.js";
import { toChannelsLast } from "./layout.js";
import { toAttributeProto } from "./to-graph-proto.js";

/** An ONNX model that gives what is computed inside, too. */
export interface ExposedOnnx {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The values that are outputs now, with their names there; all have their axes in the graph's order. */
  readonly values: readonly { readonly value: ValueRef; readonly name: string }[];
}

/**
 * Copies an ONNX model so that every value of the graph it was emitted from is an output. The weights and nodes are
 * those of `bytes`; from the graph come only the names under which its values stand there.
 */
export function exposeOnnxValues(bytes: Uint8Array, graph: Graph): ExposedOnnx {
  const model = fromBinary(ModelProtoSchema, bytes);
  const body = model.graph;
  if (body === undefined) return { bytes: Uint8Array.from(bytes), values: [] };
  const { graph: planned, writer, rename } = planOnnx(graph);
  const written = new Set(body.node.flatMap(({ output }) => output));
  const taken = new Set(written);
  const outputs = new Set(body.output.map(({ name }) => name));
  const values: { value: ValueRef; name: string }[] = [];
  for (const node of planned.nodes) {
    if (node.op === "Const" || node.op === "Placeholder") continue;
    for (const output of node.outputs.keys()) {
      const value = { node: node.name, output };
      const held = writer.held(value);
      const source = rename(held.name);
      if (!written.has(source)) continue;
      let name = source;
      if (held.layout === "channelsFirst") {
        name = uniqueName(`${source}/exposed`, taken);
        taken.add(name);
        const attribute = [toAttributeProto("perm", { ints: toChannelsLast(writer.rank(value)) })];
        body.node.push(
          create(NodeProtoSchema, { name, opType: "Transpose", input: [source], output: [name], attribute }),
        );
      }
      // Without a type: the runtime finds it by itself.
      if (!outputs.has(name)) body.output.push(create(ValueInfoProtoSchema, { name }));
      outputs.add(name);
      values.push({ value, name });
    }
  }
  return { bytes: toBinary(ModelProtoSchema, model), values };
}
