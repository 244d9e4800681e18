import { readdirSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { createFolder } from "../test/data-files.js";
import { createDiskWriter } from "./disk-rows.js";
import { createMemoryWriter } from "./memory-rows.js";
import type { RowValues, RowWriter } from "./row-values.js";

/** More rows than one piece has: 4 MB are 34,952 rows of 30 values. */
const rowCount = 80_000;
const width = 30;

function write(writer: RowWriter): RowValues {
  for (let row = 0; row < rowCount; row++) {
    const at = writer.claim();
    for (let column = 0; column < width; column++) writer.values[at + column] = row * width + column;
  }
  return writer.finish();
}

describe.each(["float32", "int32"] as const)("rows of %s on disk", (dtype) => {
  const disk = write(createDiskWriter(dtype, width));
  const memory = write(createMemoryWriter(dtype, width));

  it("are those of memory, by range and by index", async () => {
    for (const [start, end] of [
      [0, 3],
      [34_950, 34_960],
      [79_999, 80_000],
      [5, 5],
      [0, rowCount],
    ] as const) {
      const [found, expected] = [await disk.read(start, end), await memory.read(start, end)];
      expect(found.constructor).toBe(expected.constructor);
      expect(
        Buffer.from(found.buffer).equals(new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength)),
      ).toBe(true);
    }
    const indices = [70_000, 3, 4, 5, 4, 79_999, 0];
    expect(await disk.gather(indices)).toEqual(await memory.gather(indices));
    expect(await disk.gather([])).toHaveLength(0);
  });

  it("are read side by side", async () => {
    const starts = Array.from({ length: 50 }, (_, index) => index * 1500);
    const read = await Promise.all(starts.map((start) => disk.read(start, start + 700)));
    for (const [index, values] of read.entries()) {
      const start = starts[index]!;
      expect(values[0]).toBe(start * width);
      expect(values.at(-1)).toBe((start + 700) * width - 1);
    }
  });

  it("come in pieces, in order", async () => {
    let next = 0;
    let pieces = 0;
    for await (const piece of disk.pieces()) {
      pieces++;
      expect(piece[0]).toBe(next);
      next += piece.length;
    }
    expect(next).toBe(rowCount * width);
    expect(pieces).toBe(3);
  });
});

describe("the file", () => {
  const folder = createFolder();
  const before = process.env["TMPDIR"];

  afterEach(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });

  it("has no name: nothing is left of it, whatever becomes of the process", async () => {
    process.env["TMPDIR"] = folder;
    const writer = createDiskWriter("float32", 1);
    writer.values[writer.claim()] = 7;
    expect(readdirSync(folder)).toEqual([]);
    expect(await writer.finish().read(0, 1)).toEqual(Float32Array.of(7));
  });

  it("is refused with the folder that cannot have it", () => {
    process.env["TMPDIR"] = join(folder, "none");
    expect(() => createDiskWriter("float32", 1)).toThrow(
      expect.objectContaining({
        code: "FILE_SYSTEM",
        details: expect.objectContaining({ operation: "create", path: expect.stringContaining(join(folder, "none")) }),
      }),
    );
  });
});
