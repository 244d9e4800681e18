import { describe, expect, it } from "vitest";

import { type Classes, createLabelEncoder } from "./class-labels.js";

/** The class list and the class index of every label, as they are after the last row. */
function encodeAll(labels: readonly string[], classes?: Classes) {
  const encoder = createLabelEncoder(classes);
  const codes = labels.map((label, row) => encoder.encode(label, 0, row));
  const resolved = encoder.resolve();
  if ("expected" in resolved) return resolved;
  return {
    classes: resolved.classes,
    indices: codes.map((code) => (typeof code === "number" ? resolved.classOfCode[code] : code)),
  };
}

describe("class labels", () => {
  it("that are numbers keep their value as index, so a file without class 0 does not move the others", () => {
    expect(encodeAll(["3", "1", "3.0", " 2 "])).toEqual({ classes: ["0", "1", "2", "3"], indices: [3, 1, 3, 2] });
  });

  it("that are names get indices in the order of the names, not of appearance", () => {
    expect(encodeAll(["dog", "cat", "Eel", "dog"])).toEqual({ classes: ["Eel", "cat", "dog"], indices: [2, 1, 0, 2] });
  });

  it("that are numbers and names are all names", () => {
    expect(encodeAll(["1", "a", "0"])).toEqual({ classes: ["0", "1", "a"], indices: [1, 2, 0] });
  });

  it("that are numbers but no indices are a problem of the row they were first seen in", () => {
    expect(encodeAll(["1", "0", "-1", "-1"])).toMatchObject({ source: 0, row: 2 });
    expect(encodeAll(["1", "2.5"])).toMatchObject({ row: 1 });
    expect(encodeAll(["9999", "10000"])).toMatchObject({ row: 1 });
  });

  it("follow the order of a given list", () => {
    expect(encodeAll(["b", "a"], ["b", "a", "c"])).toEqual({ classes: ["b", "a", "c"], indices: [0, 1] });
    expect(encodeAll(["7", "07"], ["7", "8"])).toMatchObject({
      indices: [0, { row: 1, expected: "one of the classes 7, 8" }],
    });
  });

  it("are indices below a given count", () => {
    expect(encodeAll(["1", "2", "x"], 2)).toEqual({
      classes: ["0", "1"],
      indices: [
        1,
        { source: 0, row: 1, expected: "a class index from 0 to 1" },
        { source: 0, row: 2, expected: "a class index from 0 to 1" },
      ],
    });
  });
});
