import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { bindSignature, emitGraphDef, emitSavedModel, parseGraphDef, parseSavedModel } from "../src/emit/index.js";
import { DataType, type TensorProto, TensorProtoSchema } from "../src/proto/gen/tensorflow/graph_pb.js";
import { readTensorContent } from "../src/read/tensor-content.js";
import { buildGraph } from "./build-graph.js";

describe("parseSavedModel", () => {
  it("gives the graph and the signature that were written", () => {
    const builder = buildGraph();
    const x = builder.input("an input", "int32", [null, 4]);
    const y = builder.node("Cast", [x], [{ dtype: "bool", shape: [null, 4] }]);
    const graph = builder.build({ "b 2": y, "a 1": y });
    const signature = bindSignature(graph);
    const parsed = parseSavedModel(emitSavedModel(emitGraphDef(graph), { serving_default: signature }));
    expect(parsed.signature).toEqual(signature);
    expect(parsed.signature.outputs.map(({ name, tensor }) => [name, tensor])).toEqual([
      ["b 2", `${y.node}:0`],
      ["a 1", "a_1:0"],
    ]);
    expect(parsed.graphDef).toEqual(emitGraphDef(graph));
  });

  it("refuses other bytes by name", () => {
    expect(() => parseSavedModel(Uint8Array.of(0xff, 0xff), "x/saved_model.pb")).toThrow(
      expect.objectContaining({
        code: "MODEL_UNREADABLE",
        details: expect.objectContaining({ path: "x/saved_model.pb" }),
      }),
    );
    expect(() => parseSavedModel(new Uint8Array())).toThrow(expect.objectContaining({ code: "MODEL_UNREADABLE" }));
  });
});

describe("parseGraphDef", () => {
  it("refuses other bytes", () => {
    expect(() => parseGraphDef(Uint8Array.of(0xff, 0xff))).toThrow(
      expect.objectContaining({ code: "MODEL_UNREADABLE" }),
    );
  });
});

const tensor = (
  parts: Omit<MessageInitShape<typeof TensorProtoSchema>, "$typeName">,
  ...shape: number[]
): TensorProto =>
  create(TensorProtoSchema, { ...parts, tensorShape: { dim: shape.map((size) => ({ size: BigInt(size) })) } });

describe("readTensorContent", () => {
  it("repeats the last value of a list that is too short", () => {
    const bytes = readTensorContent(tensor({ dtype: DataType.DT_FLOAT, floatVal: [1, 2.5] }, 2, 2), "x");
    expect(Array.from(new Float32Array(bytes.slice().buffer))).toEqual([1, 2.5, 2.5, 2.5]);
  });

  it("reads integers, booleans, and nothing as zeros", () => {
    const ints = readTensorContent(tensor({ dtype: DataType.DT_INT32, intVal: [-7] }, 2), "x");
    expect(Array.from(new Int32Array(ints.slice().buffer))).toEqual([-7, -7]);
    expect(Array.from(readTensorContent(tensor({ dtype: DataType.DT_BOOL, boolVal: [true, false] }, 3), "x"))).toEqual([
      1, 0, 0,
    ]);
    expect(Array.from(readTensorContent(tensor({ dtype: DataType.DT_FLOAT }, 1), "x"))).toEqual([0, 0, 0, 0]);
  });

  it("refuses types that TensorFlow.js does not have", () => {
    expect(() => readTensorContent(tensor({ dtype: DataType.DT_INT64, int64Val: [1n] }, 1), "step")).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_DTYPE", details: expect.objectContaining({ where: "step" }) }),
    );
  });
});
