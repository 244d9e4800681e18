import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { crc32c, maskCrc } from "./crc32c.js";

describe("crc32c", () => {
  it("is the Castagnoli polynomial", () => {
    // The check value of the algorithm's definition, and the vectors of RFC 3720, B.4.
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
    expect(crc32c(new Uint8Array())).toBe(0);
  });

  it("continues where another left off", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
      }),
    );
  });
});

describe("maskCrc", () => {
  it("gives what TensorFlow stores", () => {
    expect(maskCrc(0xe3069283)).toBe(0xc78ab0e5);
    expect(maskCrc(0)).toBe(0xa282ead8);
  });
});
