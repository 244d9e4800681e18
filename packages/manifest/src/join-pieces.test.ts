import * as fc from "fast-check";
import { expect, it } from "vitest";

import { joinPieces } from "./join-pieces.js";

it("gives all bytes in order, in pieces that are large enough and hold no part more than they need", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.integer({ min: 1, max: 30 }), (parts, pieceBytes) => {
      const pieces = [...joinPieces(parts, pieceBytes)];
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(parts));
      for (const piece of pieces.slice(0, -1)) {
        expect(piece.byteLength).toBeGreaterThanOrEqual(pieceBytes);
        expect(piece.byteLength).toBeLessThan(pieceBytes + 20);
      }
      const isEmpty = parts.every(({ byteLength }) => byteLength === 0);
      expect(pieces.filter(({ byteLength }) => byteLength === 0)).toHaveLength(isEmpty ? 1 : 0);
    }),
  );
});

it("does not copy a part that is a piece of its own", () => {
  const parts = [new Uint8Array(10), new Uint8Array(12)];
  expect([...joinPieces(parts, 10)].map((piece, at) => piece === parts[at])).toEqual([true, true]);
});
