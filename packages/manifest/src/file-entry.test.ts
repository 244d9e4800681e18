import { describe, expect, it } from "vitest";

import { fileEntriesSchema } from "./file-entry.js";

describe("fileEntriesSchema", () => {
  const entry = { path: "a", sizeBytes: 0, sha256: "0".repeat(64) };

  it("takes different paths", () => {
    expect(fileEntriesSchema.safeParse([entry, { ...entry, path: "b" }]).success).toBe(true);
  });

  it.each([
    ["a path that leads out", [{ ...entry, path: "../a" }]],
    ["a path twice", [entry, entry]],
    ["a negative size", [{ ...entry, sizeBytes: -1 }]],
    ["half a byte", [{ ...entry, sizeBytes: 0.5 }]],
    ["a size beyond exact integers", [{ ...entry, sizeBytes: 2 ** 53 }]],
    ["a digest in capitals", [{ ...entry, sha256: "A".repeat(64) }]],
    ["a digest of another length", [{ ...entry, sha256: "0".repeat(63) }]],
    ["a digest with a line feed", [{ ...entry, sha256: `${"0".repeat(64)}\n` }]],
  ])("refuses %s", (_name, entries) => {
    expect(fileEntriesSchema.safeParse(entries).success).toBe(false);
  });
});
