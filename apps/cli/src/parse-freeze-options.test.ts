import { describe, expect, it } from "vitest";

import { parseFormats, parseQuantizeRule, parseSignatures } from "./parse-freeze-options.js";

const refused = expect.objectContaining({ code: "INVALID_OPTION" });

describe("options of a freeze", () => {
  it("take formats in any order, and refuse what is none", () => {
    expect(parseFormats("onnx, graph-def")).toEqual(["graph-def", "onnx"]);
    expect(() => parseFormats("onnx,tflite")).toThrow(refused);
  });

  it("take a form for all weights or for a pattern of names", () => {
    expect(parseQuantizeRule("u8")).toEqual({ as: "u8", weights: "*" });
    expect(parseQuantizeRule("u16=classes/*=")).toEqual({ as: "u16", weights: "classes/*=" });
    for (const text of ["", "u4", "u8="]) expect(() => parseQuantizeRule(text)).toThrow(refused);
  });

  it("take signatures with their outputs, each key once", () => {
    expect(parseSignatures(["embed=encoder/dense_1", "both=a, b:1"])).toEqual({
      embed: { outputs: ["encoder/dense_1"] },
      both: { outputs: ["a", "b:1"] },
    });
    for (const texts of [["embed"], ["=a"], ["embed="], ["embed=a", "embed=b"]]) {
      expect(() => parseSignatures(texts)).toThrow(refused);
    }
  });
});
