import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type ByteKey, keyBytes } from "./byte-key.js";
import { encodeOrderedBytes, encodeOrderedNumber, encodeOrderedSigned } from "./ordered-code.js";

const hex = (key: ByteKey): string => Buffer.from(keyBytes(key)).toString("hex");

function isSameOrder<Value>(encode: (value: Value) => ByteKey, a: Value, b: Value): boolean {
  return a < b === encode(a) < encode(b) && (a === b) === (encode(a) === encode(b));
}

describe("the ordered code", () => {
  it("encodes as its definition says", () => {
    expect(hex(encodeOrderedSigned(0x424242))).toBe("f0424242");
    expect(hex(encodeOrderedSigned(-0x800))).toBe("3800");
    expect([0, 63, -1, -64].map((value) => hex(encodeOrderedSigned(value)))).toEqual(["80", "bf", "7f", "40"]);
    expect([64, 8191, 8192].map((value) => hex(encodeOrderedSigned(value)))).toEqual(["c040", "dfff", "e02000"]);
    expect([0, 5, 256, 2 ** 40].map((value) => hex(encodeOrderedNumber(value)))).toEqual([
      "00",
      "0105",
      "020100",
      "06010000000000",
    ]);
    expect(hex(encodeOrderedBytes("a\0\u00ffb"))).toBe("6100ffff00620001");
  });

  it("keeps the order of what it encodes", () => {
    const bytes = fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
    fc.assert(fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => isSameOrder(encodeOrderedSigned, a, b)));
    fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => isSameOrder(encodeOrderedNumber, a, b)));
    fc.assert(fc.property(bytes, bytes, (a, b) => isSameOrder(encodeOrderedBytes, a, b)));
  });
});
