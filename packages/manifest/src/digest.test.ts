import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { useTemporaryFolder } from "../test/temporary-folder.js";
import { digestBytes, digestFile } from "./digest.js";

const makeFolder = useTemporaryFolder();

describe("digestBytes", () => {
  // FIPS 180-4's own examples.
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ])("gives the SHA-256 of %j", (text, expected) => {
    expect(digestBytes(text)).toBe(expected);
    expect(digestBytes(new TextEncoder().encode(text))).toBe(expected);
  });

  it("takes a view as the bytes it shows", () => {
    const view = new Uint8Array([0, 97, 98, 99, 0]).subarray(1, 4);
    expect(digestBytes(view)).toBe(digestBytes("abc"));
  });
});

describe("digestFile", () => {
  it.each([0, 1, (1 << 20) - 1, 1 << 20, (1 << 21) + 5])("digests and measures a file of %i bytes", async (size) => {
    const path = join(makeFolder(), "x");
    const bytes = Buffer.alloc(size, "ckpt");
    writeFileSync(path, bytes);
    expect(await digestFile(path)).toEqual({
      sha256: createHash("sha256").update(bytes).digest("hex"),
      sizeBytes: size,
    });
  });

  it("fails with the system's error where there is no file", async () => {
    await expect(digestFile(join(makeFolder(), "x"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
