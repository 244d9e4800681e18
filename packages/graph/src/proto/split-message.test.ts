import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { TensorProtoSchema as OnnxTensorSchema } from "./gen/onnx/onnx_pb.js";
import { AttrValueSchema, DataType, type GraphDef, GraphDefSchema, NodeDefSchema } from "./gen/tensorflow/graph_pb.js";
import { SavedModelSchema } from "./gen/tensorflow/saved_model_pb.js";
import { joinParts, splitMessage } from "./split-message.js";

const content = (fill: number): Uint8Array => new Uint8Array(5000).fill(fill);

/** A graph with large constants in an attribute, in a list and in a function of the library. */
function createGraphDef(): GraphDef {
  const tensor = (fill: number) => ({
    dtype: DataType.DT_FLOAT,
    tensorShape: { dim: [{ size: 1250n }] },
    tensorContent: content(fill),
  });
  const node = create(NodeDefSchema, {
    name: "large",
    op: "Const",
    attr: {
      dtype: { value: { case: "type", value: DataType.DT_FLOAT } },
      value: { value: { case: "tensor", value: tensor(1) } },
      values: {
        value: { case: "list", value: { tensor: [tensor(2), { dtype: DataType.DT_INT32, intVal: [1, 2] }], i: [3n] } },
      },
      text: { value: { case: "s", value: content(3) } },
    },
  });
  const small = create(NodeDefSchema, { name: "small", op: "Identity", input: ["large"] });
  return create(GraphDefSchema, {
    node: [small, node, small],
    library: { function: [{ signature: { name: "f" }, nodeDef: [node], ret: { y: "z" } }] },
    versions: { producer: 30 },
  });
}

describe("splitMessage", () => {
  it("gives the bytes of toBinary, whatever is large", () => {
    const graphDef = createGraphDef();
    expect(joinParts(splitMessage(GraphDefSchema, graphDef, "GraphDef"))).toEqual(toBinary(GraphDefSchema, graphDef));
    const savedModel = create(SavedModelSchema, {
      savedModelSchemaVersion: 1n,
      metaGraphs: [{ metaInfoDef: { tags: ["serve"] }, graphDef, signatureDef: { a: { methodName: "b" } } }],
    });
    expect(joinParts(splitMessage(SavedModelSchema, savedModel, "x"))).toEqual(toBinary(SavedModelSchema, savedModel));
  });

  it("keeps fields that the schema does not know", () => {
    // Field 15 of a GraphDef: three bytes.
    const bytes = Uint8Array.of(...toBinary(GraphDefSchema, createGraphDef()), 0x7a, 3, 1, 2, 3);
    expect(joinParts(splitMessage(GraphDefSchema, fromBinary(GraphDefSchema, bytes), "x"))).toEqual(bytes);
  });

  it("does not copy large values", () => {
    const rawData = new Uint8Array(10_000);
    const parts = splitMessage(OnnxTensorSchema, create(OnnxTensorSchema, { name: "w", rawData }), "x");
    expect(parts).toContain(rawData);
  });

  it("is refused as one message above 2 GiB, with the format and the size", () => {
    // Never touched, so it takes no memory.
    const tensorContent = new Uint8Array(2 ** 31);
    const value = create(AttrValueSchema, { value: { case: "tensor", value: { tensorContent } } });
    const graphDef = create(GraphDefSchema, { node: [{ name: "w", op: "Const", attr: { value } }] });
    expect(() => splitMessage(GraphDefSchema, graphDef, "GraphDef")).toThrow(
      expect.objectContaining({
        code: "FORMAT_TOO_LARGE",
        details: expect.objectContaining({ format: "GraphDef", limitBytes: 2 ** 31 - 1 }),
      }),
    );
  });
});
