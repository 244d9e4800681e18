import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { serializeCanonicalJson } from "./json.js";

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, reverseKeys(part)]),
  );
}

describe("serializeCanonicalJson", () => {
  it("sorts keys at every depth, array indices first, and keeps the order of arrays", () => {
    const value = { b: [{ d: 1, c: 2 }, 3], a: null, "10": 1, "9": 2, B: undefined, é: "x" };
    expect(serializeCanonicalJson(value)).toBe('{"9":2,"10":1,"a":null,"b":[{"c":2,"d":1},3],"é":"x"}');
  });

  it("gives equal text for equal values in any order of keys, and loses nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const text = serializeCanonicalJson(value);
        expect(serializeCanonicalJson(reverseKeys(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("gives different text for different values", () => {
    expect(serializeCanonicalJson({ a: "1" })).not.toBe(serializeCanonicalJson({ a: 1 }));
    expect(serializeCanonicalJson([1, 2])).not.toBe(serializeCanonicalJson([2, 1]));
  });
});
