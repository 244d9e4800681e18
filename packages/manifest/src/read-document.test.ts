import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { caught } from "../test/caught.js";
import { samples } from "../test/samples.js";
import { useTemporaryFolder } from "../test/temporary-folder.js";
import { checkpointManifestType } from "./checkpoint-manifest.js";
import { serializeDocument } from "./document.js";
import { readDocument } from "./read-document.js";

const makeFolder = useTemporaryFolder();
const whole = Buffer.from(serializeDocument(samples.checkpoint));

async function read(bytes: Uint8Array): Promise<unknown> {
  const path = join(makeFolder(), "checkpoint.json");
  writeFileSync(path, bytes);
  return readDocument(checkpointManifestType, path);
}

describe("readDocument", () => {
  it("gives the content and the digest", async () => {
    expect(await read(whole)).toMatchObject(samples.checkpoint);
  });

  it("says that a manifest is missing when there is no such file, or no such folder", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, "file"), "");
    for (const path of ["checkpoint.json", "nowhere/checkpoint.json", "file/checkpoint.json"]) {
      const error = await caught("MANIFEST_MISSING", () => readDocument(checkpointManifestType, join(folder, path)));
      expect(error.details.path).toBe(join(folder, path));
    }
  });

  it("says that it cannot be read when it is a folder", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "checkpoint.json"));
    await caught("FILE_SYSTEM", () => readDocument(checkpointManifestType, join(folder, "checkpoint.json")));
  });

  it("finds a replacement character that lost a byte, which decoding alone would put back", async () => {
    const at = whole.indexOf(Buffer.from("\uFFFD"));
    const damaged = Buffer.concat([whole.subarray(0, at + 2), whole.subarray(at + 3)]);
    expect(damaged.toString("utf8")).toBe(whole.toString("utf8"));
    const error = await caught("MANIFEST_INVALID", () => read(damaged));
    expect(error.message).toContain("not UTF-8");
  });

  it.each([
    ["a byte order mark", Buffer.concat([Buffer.from("\uFEFF"), whole])],
    ["UTF-16", Buffer.from(whole.toString("utf8"), "utf16le")],
    ["no bytes", Buffer.alloc(0)],
    ["zeros, as some file systems leave after a power loss", Buffer.alloc(whole.length)],
    ["twice the document", Buffer.concat([whole, whole])],
    ["half of it", whole.subarray(0, whole.length >> 1)],
  ])("refuses a file of %s", async (_name, bytes) => {
    await caught("MANIFEST_INVALID", () => read(bytes));
  });
});
