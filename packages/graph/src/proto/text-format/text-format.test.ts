import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { digestBytes } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { DataType, GraphDefSchema, TensorProtoSchema } from "../gen/tensorflow/graph_pb.js";
import { joinParts } from "../split-message.js";
import { parseText } from "./parse-text.js";
import { serializeText } from "./serialize-text.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parseGraph = (text: string): unknown => parseText(GraphDefSchema, encode(text));
const parseTensor = (text: string): unknown => parseText(TensorProtoSchema, encode(text));
const tensor = (fields: MessageInitShape<typeof TensorProtoSchema>): unknown => create(TensorProtoSchema, fields);

describe("serializeText", () => {
  it("writes what protobuf's own printer writes", () => {
    const graphDef = create(GraphDefSchema, {
      node: [
        {
          name: "c",
          op: "Const",
          input: ["a", "^b"],
          attr: {
            value: {
              value: {
                case: "tensor",
                value: {
                  dtype: DataType.DT_FLOAT,
                  tensorShape: { dim: [{ size: -1n }] },
                  tensorContent: Uint8Array.of(0, 10, 34, 39, 92, 65, 127, 255),
                },
              },
            },
            dtype: { value: { case: "type", value: DataType.DT_FLOAT } },
            empty: { value: { case: "list", value: {} } },
            off: { value: { case: "b", value: false } },
          },
        },
      ],
      library: { function: [{ ret: { y: "é" } }] },
      versions: { producer: 30 },
    });
    const text = new TextDecoder().decode(joinParts(serializeText(GraphDefSchema, graphDef, "GraphDef text")));
    expect(text).toBe(
      String.raw`node {
  name: "c"
  op: "Const"
  input: "a"
  input: "^b"
  attr {
    key: "dtype"
    value {
      type: DT_FLOAT
    }
  }
  attr {
    key: "empty"
    value {
      list {
      }
    }
  }
  attr {
    key: "off"
    value {
      b: false
    }
  }
  attr {
    key: "value"
    value {
      tensor {
        dtype: DT_FLOAT
        tensor_shape {
          dim {
            size: -1
          }
        }
        tensor_content: "\000\n\"\'\\A\177\377"
      }
    }
  }
}
library {
  function {
    ret {
      key: "y"
      value: "\303\251"
    }
  }
}
versions {
  producer: 30
}
`,
    );
    expect(parseGraph(text)).toEqual(graphDef);
  });

  it("writes the shortest number that reads back the same", () => {
    const floatVal = [0.1, 1, 1e-45, 3.4028234663852886e38, -0, 1 / 3, 16_777_216, Infinity, -Infinity].map(
      Math.fround,
    );
    const message = tensor({ floatVal, doubleVal: [0.1, 1 / 3, 5e-324] });
    const text = new TextDecoder().decode(joinParts(serializeText(TensorProtoSchema, message as never, "x")));
    expect(text.match(/(?<=float_val: ).*/g)).toEqual([
      "0.1",
      "1",
      "1e-45",
      "3.4028235e+38",
      "-0",
      "0.33333334",
      "16777216",
      "inf",
      "-inf",
    ]);
    expect(parseTensor(text)).toEqual(message);
    expect(parseTensor("float_val: nan")).toEqual(tensor({ floatVal: [Number.NaN] }));
  });

  it("holds every byte, and more of them than fit in one piece", () => {
    const tensorContent = Uint8Array.from({ length: 1_000_003 }, (_, at) => (at * at) >> 3);
    const text = joinParts(serializeText(TensorProtoSchema, create(TensorProtoSchema, { tensorContent }), "x"));
    expect(digestBytes(parseText(TensorProtoSchema, text).tensorContent)).toBe(digestBytes(tensorContent));
  });
});

describe("parseText", () => {
  it("takes the forms that people and other programs write", () => {
    expect(
      parseGraph(`# a graph
        node: < name: 'a' "b"  # in pieces
                'c'; op: "Add", input: ["x", "y"] input: "z" >
        node { attr: { value { list { i: [1, -2, 0x10, 017] } } key: "k" } }
        versions { producer: 30 bad_consumers: [] }`),
    ).toEqual(
      create(GraphDefSchema, {
        node: [
          { name: "abc", op: "Add", input: ["x", "y", "z"] },
          { attr: { k: { value: { case: "list", value: { i: [1n, -2n, 16n, 15n] } } } } },
        ],
        versions: { producer: 30 },
      }),
    );
    expect(parseTensor(String.raw`dtype: 3 bool_val: [true, f, 1] float_val: [1.5f, -.5, 2e-3, -inf, 7.]`)).toEqual(
      tensor({
        dtype: DataType.DT_INT32,
        boolVal: [true, false, true],
        floatVal: [1.5, -0.5, Math.fround(2e-3), -Infinity, 7],
      }),
    );
    expect(parseTensor(String.raw`string_val: "\x41\u00e9\7\?\'\U0001F600" string_val: "é"`)).toEqual(
      tensor({ stringVal: [Uint8Array.of(0x41, 0xc3, 0xa9, 7, 63, 39, 0xf0, 0x9f, 0x98, 0x80), encode("é")] }),
    );
    expect(parseGraph("")).toEqual(create(GraphDefSchema));
  });

  it("passes over fields that the schema does not have, whatever is in them", () => {
    const text = `unheard { a: "}" b < c: [1, {}] > } other: -5 more: "a" "b" [some.extension]: { x: 1 } node { name: "n" }`;
    expect(parseGraph(text)).toEqual(create(GraphDefSchema, { node: [{ name: "n" }] }));
  });

  it.each([
    ['node {\n  name "x" }', "line 2, column 8: expected : behind name"],
    ["node { name: x }", "line 1, column 14: expected a quoted text, found x"],
    ["node { ", "expected a field, found the end"],
    ["node { attr { value { type: DT_FLOOT } } }", "expected a value of DataType, found DT_FLOOT"],
    ["versions { producer: 1.5 }", "expected a whole number, found 1.5"],
    ["versions { producer: 1 producer: 2 }", "VersionDef.producer is there twice"],
    ['node { name: "x', "a quoted text without an end"],
    [String.raw`node { name: "\q" }`, String.raw`\q is no escape`],
    ["}", "expected a field, found }"],
    ["unheard", "expected a value, found the end"],
  ])("refuses %j and says where", (text, message) => {
    expect(() => parseGraph(text)).toThrow(message);
  });
});
