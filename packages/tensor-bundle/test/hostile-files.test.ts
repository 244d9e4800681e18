import { copyFile, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isCkptError } from "@ckpt/manifest";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { encodeKey } from "../src/byte-key.js";
import { crc32c, maskCrc } from "../src/crc32c.js";
import { openBundle } from "../src/index.js";
import { MessageWriter } from "../src/message-writer.js";
import { parseObjectGraph } from "../src/object-graph.js";
import { openFile } from "../src/random-access-file.js";
import { parseStrings } from "../src/string-values.js";
import { parseBlock, type TableEntry } from "../src/table-block.js";
import { tableMagic } from "../src/table-format.js";
import { openTable } from "../src/table-reader.js";
import { writeTable } from "../src/table-writer.js";
import { encodeSliceKey, type Extent } from "../src/tensor-slice.js";
import { fixture } from "./expected-tensors.js";

let folder: string;
let prefix: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-hostile-"));
  prefix = join(folder, "a");
});
afterAll(() => rm(folder, { recursive: true }));

/** Sizes that no machine has: an attempt to take memory for one is not a `CkptError`. */
const huge = 2 ** 50;
const data = new Uint8Array(64);

const message = (): MessageWriter => new MessageWriter();
const shapeOf = (sizes: readonly number[]): MessageWriter =>
  sizes.reduce((shape, size) => shape.writeField(2, message().writeInteger(1, size)), message());
const sliceOf = (extents: readonly Extent[]): MessageWriter =>
  extents.reduce((slice, { start, length }) => {
    const extent = message().writeInteger(1, start);
    return slice.writeField(1, length === undefined ? extent : extent.writeVarint(16).writeVarint(length));
  }, message());

interface Entry {
  readonly dtype?: number;
  readonly shape?: readonly number[];
  readonly shard?: number;
  readonly offset?: number;
  readonly size?: number;
  readonly slices?: readonly (readonly Extent[])[];
}

/** A BundleEntryProto, by default of sixteen floats that are all there. */
function entryOf({ dtype = 1, shape = [16], shard = 0, offset = 0, size = 64, slices = [] }: Entry): Uint8Array {
  const entry = message().writeInteger(1, dtype).writeField(2, shapeOf(shape)).writeInteger(3, shard);
  entry
    .writeInteger(4, offset)
    .writeInteger(5, size)
    .writeFixed32(6, maskCrc(crc32c(data.subarray(0, size))));
  for (const slice of slices) entry.writeField(7, sliceOf(slice));
  return entry.finish();
}

const header = message().writeInteger(1, 1).finish();

/** Writes a bundle whose index has these entries and right checksums, and reads everything in it. */
async function readAll(entries: readonly (readonly [key: string, value: Uint8Array])[]): Promise<void> {
  await writeIndex(writeTable(entries.map(([key, value]): TableEntry => ({ key, value }))));
  await readPrefix(prefix);
}

async function writeIndex(index: Uint8Array): Promise<void> {
  await writeFile(`${prefix}.data-00000-of-00001`, data);
  await writeFile(`${prefix}.index`, index);
}

async function readPrefix(path: string): Promise<void> {
  const bundle = await openBundle(path);
  try {
    for (const key of bundle.entries.keys()) await bundle.read(key);
  } finally {
    await bundle.close();
  }
}

const refused = { code: "BUNDLE_INVALID" };

describe("a bundle with right checksums", () => {
  it("is read when nothing is wrong with it", async () => {
    await readAll([
      ["", header],
      ["a", entryOf({})],
    ]);
    const halves = [[{ start: 0, length: 4 }], [{ start: 4, length: 12 }]];
    await readAll([
      ["", header],
      [encodeSliceKey("a", halves[0]!), entryOf({ shape: [4], size: 16 })],
      [encodeSliceKey("a", halves[1]!), entryOf({ shape: [12], offset: 16, size: 48 })],
      ["a", entryOf({ slices: halves })],
    ]);
  });

  it.each([
    ["a tensor beyond the file", { offset: 32 }],
    ["an offset that is no place", { offset: huge }],
    ["a shape that its bytes do not have", { shape: [huge] }],
    ["a shape beyond numbers", { shape: [huge, huge] }],
    ["bytes that its shape does not need", { shape: [15] }],
    ["more strings than bytes", { dtype: 7, shape: [huge] }],
    ["a data file that is not", { shard: 1 }],
    ["a rank that no tensor has", { shape: Array.from({ length: 300 }, () => 1) }],
  ] satisfies [string, Entry][])("is refused for %s", async (_, entry) => {
    await expect(
      readAll([
        ["", header],
        ["a", entryOf(entry)],
      ]),
    ).rejects.toMatchObject(refused);
  });

  it("is refused for a dtype without values, when that tensor is read", async () => {
    await writeIndex(
      writeTable([
        { key: "", value: header },
        { key: "a", value: entryOf({ dtype: 20 }) },
      ]),
    );
    const bundle = await openBundle(prefix);
    expect(bundle.entries.get("a")?.dtype).toBe("DT_20");
    await expect(bundle.read("a")).rejects.toMatchObject({ code: "UNSUPPORTED_DTYPE" });
    await expect(bundle.read("b")).rejects.toMatchObject({ code: "WEIGHTS_MISMATCH" });
    await expect(bundle.read("")).rejects.toMatchObject({ code: "WEIGHTS_MISMATCH" });
    await bundle.close();
  });

  it.each([
    [
      "a gap",
      [
        [0, 4],
        [5, 11],
      ],
    ],
    [
      "an overlap",
      [
        [0, 8],
        [4, 8],
      ],
    ],
    [
      "one part twice",
      [
        [0, 8],
        [0, 8],
      ],
    ],
    [
      "a part outside",
      [
        [0, 8],
        [8, 9],
      ],
    ],
    [
      "no length that fits",
      [
        [0, 8],
        [17, undefined],
      ],
    ],
  ] as const)("is refused for slices with %s", async (_, ranges) => {
    const slices = ranges.map(([start, length]): Extent[] => [length === undefined ? { start } : { start, length }]);
    const parts = new Map(
      slices.map((slice) => {
        const length = slice[0]?.length ?? 8;
        return [encodeSliceKey("a", slice), entryOf({ shape: [length], size: 4 * length })] as const;
      }),
    );
    const entries = [...parts, ["a", entryOf({ slices })] as const].toSorted(([a], [b]) => (a < b ? -1 : 1));
    await expect(readAll([["", header], ...entries])).rejects.toMatchObject(refused);
  });

  it("is refused for slices that are missing, of another shape, or all the same bytes", async () => {
    const slices = Array.from({ length: 1000 }, (_, start) => [{ start: 16 * start, length: 16 }]);
    const whole = ["a", entryOf({ shape: [16_000], slices })] as const;
    await expect(readAll([["", header], whole])).rejects.toMatchObject(refused);
    for (const shape of [[16], [4, 4]]) {
      const parts = slices.map((slice) => [encodeSliceKey("a", slice), entryOf({ shape })] as const);
      parts.sort(([a], [b]) => (a < b ? -1 : 1));
      await expect(readAll([["", header], ...parts, whole])).rejects.toMatchObject(refused);
    }
    const thousands = Array.from({ length: 20_000 }, (_, start) => [{ start, length: 0 }]);
    const parts = thousands.map((slice) => [encodeSliceKey("a", slice), entryOf({ shape: [0], size: 0 })] as const);
    parts.sort(([a], [b]) => (a < b ? -1 : 1));
    const empty = ["a", entryOf({ shape: [20_000], slices: thousands })] as const;
    await expect(readAll([["", header], ...parts, empty])).rejects.toMatchObject(refused);
  });

  it("is refused for a header that is missing or asks for another reader", async () => {
    const withHeader = (header: MessageWriter): Promise<void> => readAll([["", header.finish()]]);
    await expect(readAll([["a", entryOf({})]])).rejects.toMatchObject(refused);
    await expect(readAll([])).rejects.toMatchObject(refused);
    await expect(withHeader(message())).rejects.toMatchObject(refused);
    for (const [header, reason] of [
      [message().writeInteger(1, 1).writeInteger(2, 1), "big-endian"],
      [message().writeInteger(1, 1).writeField(3, message().writeInteger(2, 2)), "version 2"],
      [
        message()
          .writeInteger(1, 1)
          .writeField(3, message().writeField(3, Uint8Array.of(1))),
        "version 1",
      ],
    ] as const) {
      const details: unknown = { reason: expect.stringContaining(reason) };
      await expect(withHeader(header)).rejects.toMatchObject({ code: "MODEL_UNREADABLE", details });
    }
  });

  it("is refused for a name that is not text", async () => {
    await expect(
      readAll([
        ["", header],
        ["\u00ff", entryOf({})],
      ]),
    ).rejects.toMatchObject(refused);
  });
});

/** A block with its trailer. */
function sealBlock(block: Uint8Array, compression = 0): Uint8Array {
  const bytes = Uint8Array.from([...block, compression]);
  return message()
    .writeBytes(bytes)
    .writeUint32(maskCrc(crc32c(bytes)))
    .finish();
}

function blockOf(entries: Uint8Array, restarts: readonly number[] = [0]): Uint8Array {
  const block = message().writeBytes(entries);
  for (const number of [...restarts, restarts.length]) block.writeUint32(number);
  return block.finish();
}

function blockEntry(shared: number, key: string, value: Uint8Array): Uint8Array {
  const entry = message().writeVarint(shared).writeVarint(key.length).writeVarint(value.length);
  return entry.writeBytes(Buffer.from(key, "latin1")).writeBytes(value).finish();
}

/** A table of one data block, whose index names it `repeats` times. */
function tableOf(block: Uint8Array, { compression = 0, repeats = 1 } = {}): Uint8Array {
  const sealed = sealBlock(block, compression);
  const index = message();
  for (let count = 0; count < repeats; count++) {
    const handle = message().writeVarint(0).writeVarint(block.length).finish();
    index.writeBytes(blockEntry(0, `z${String(count).padStart(9, "0")}`, handle));
  }
  const indexBlock = blockOf(index.finish());
  const footer = message().writeVarint(0).writeVarint(0).writeVarint(sealed.length).writeVarint(indexBlock.length);
  footer.writeBytes(new Uint8Array(40 - footer.length)).writeBytes(Uint8Array.from(tableMagic));
  return message().writeBytes(sealed).writeBytes(sealBlock(indexBlock)).writeBytes(footer.finish()).finish();
}

describe("a table", () => {
  const first = blockEntry(0, "", header);

  it("is refused when it is compressed, saying so", async () => {
    await writeIndex(tableOf(blockOf(first), { compression: 1 }));
    const details: unknown = { reason: expect.stringContaining("snappy") };
    await expect(openBundle(prefix)).rejects.toMatchObject({ code: "MODEL_UNREADABLE", details });
  });

  it.each([
    [
      "keys in the wrong order",
      message()
        .writeBytes(first)
        .writeBytes(blockEntry(0, "b", data))
        .writeBytes(blockEntry(0, "a", data)),
    ],
    [
      "one key twice",
      message()
        .writeBytes(first)
        .writeBytes(blockEntry(0, "", data)),
    ],
    [
      "a key that shares what is not there",
      message()
        .writeBytes(first)
        .writeBytes(blockEntry(5, "a", data)),
    ],
    ["a key longer than the block", message().writeVarint(0).writeVarint(huge).writeVarint(0)],
    ["a value longer than the block", message().writeVarint(0).writeVarint(0).writeVarint(huge)],
    ["an entry that is cut off", message().writeVarint(0)],
  ])("is refused for %s", async (_, entries) => {
    await writeIndex(tableOf(blockOf(entries.finish())));
    await expect(openBundle(prefix)).rejects.toMatchObject(refused);
  });

  it("is refused for keys that grow without bound", async () => {
    const entries = message().writeBytes(blockEntry(0, "x".repeat(10_000), data));
    for (let shared = 10_000; shared < 12_000; shared++) entries.writeBytes(blockEntry(shared, "x", new Uint8Array()));
    await writeIndex(tableOf(blockOf(entries.finish())));
    await expect(openBundle(prefix)).rejects.toMatchObject({
      details: { reason: expect.stringContaining("too long") },
    });
  });

  it("is refused for blocks that are all the same", async () => {
    await writeIndex(tableOf(blockOf(first), { repeats: 1000 }));
    await expect(openBundle(prefix)).rejects.toMatchObject({ details: { reason: "its blocks overlap" } });
  });

  it("is refused for restarts that do not fit", async () => {
    for (const block of [message(), message().writeUint32(0), message().writeUint32(2 ** 32 - 1)]) {
      await writeIndex(tableOf(block.finish()));
      await expect(openBundle(prefix)).rejects.toMatchObject(refused);
    }
  });
});

/** Damage that no checksum shows: bytes changed, removed or inserted. */
const damage = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), kind: fc.nat(2), byte: fc.nat(255) }),
  { minLength: 1, maxLength: 4 },
);
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function damageBytes(bytes: Uint8Array, changes: Damage): Uint8Array {
  const changed = [...bytes];
  for (const { at, kind, byte } of changes) {
    const index = Math.floor(at * changed.length);
    if (kind === 0) changed.splice(index, 1, byte);
    else if (kind === 1) changed.splice(index, 1);
    else changed.splice(index, 0, byte);
  }
  return Uint8Array.from(changed);
}

const clearCodes = new Set(["BUNDLE_INVALID", "MODEL_UNREADABLE", "UNSUPPORTED_DTYPE", "WEIGHTS_MISMATCH"]);

function expectClear(error: unknown): void {
  if (!isCkptError(error) || !clearCodes.has(error.code)) throw error;
}

async function readTable(path: string): Promise<readonly TableEntry[]> {
  const table = await openTable((await openFile(path))!);
  const entries: TableEntry[] = [];
  for await (const entry of table.entries()) entries.push(entry);
  await table.close();
  return entries;
}

describe("damage under right checksums", () => {
  it.each([
    ["dtypes/all", ".index", ".data-00000-of-00001"],
    ["slices/slices", ".index", ".data-00000-of-00001"],
    ["v1/model.ckpt-10", "", undefined],
  ] as const)("is a clear error or a tensor: %s", async (name, suffix, dataSuffix) => {
    const entries = await readTable(fixture(`${name}${suffix}`));
    const path = join(folder, "resealed");
    await rm(`${path}.index`, { force: true });
    if (dataSuffix !== undefined) {
      await writeFile(`${path}${dataSuffix}`, await readFile(fixture(`${name}${dataSuffix}`)));
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(entries.length - 1), damage, async (index, changes) => {
        const changed = entries.map((entry, at) =>
          at === index ? { key: entry.key, value: damageBytes(entry.value, changes) } : entry,
        );
        await writeFile(`${path}${suffix}`, writeTable(changed));
        const bundle = await openBundle(path).catch(expectClear);
        if (bundle === undefined) return;
        for (const key of bundle.entries.keys()) await bundle.read(key).catch(expectClear);
        await bundle.close();
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["a block", (bytes: Uint8Array) => parseBlock(bytes, "a"), blockOf(blockEntry(0, "abc", data))],
    ["an object graph", (bytes: Uint8Array) => parseObjectGraph(bytes, "a"), entryOf({})],
    ["strings", (bytes: Uint8Array) => parseStrings(bytes, bytes[0] ?? 0, "a"), data],
  ] as const)("is a clear error or a value: %s", (_, parse, valid) => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      damage.map((changes) => damageBytes(valid, changes)),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        try {
          parse(bytes);
        } catch (error) {
          expectClear(error);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("in any file is a clear error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isEnded) => {
        const content = isEnded ? Uint8Array.from([...bytes, ...tableMagic]) : bytes;
        await writeFile(join(folder, "any"), content);
        await expect(openBundle(join(folder, "any"))).rejects.toMatchObject(refused);
      }),
    );
  });
});

describe("openBundle", () => {
  it("does not wait for a pipe or read a device", async () => {
    for (const path of ["/dev/zero", folder]) await expect(openBundle(path)).rejects.toMatchObject(refused);
    await expect(openBundle(join(folder, "none"))).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    await expect(openBundle(join(folder, "none-?????-of-99999"))).rejects.toMatchObject({
      code: "CHECKPOINT_NOT_FOUND",
    });
  });

  it("reads a tensor alone, wherever it is in a file larger than memory", async () => {
    const offset = 2 ** 40;
    const path = join(folder, "large");
    await writeFile(
      `${path}.index`,
      writeTable([
        { key: "", value: header },
        { key: "a", value: entryOf({ offset }) },
      ]),
    );
    const file = await open(`${path}.data-00000-of-00001`, "w");
    await file.write(data, 0, data.length, offset);
    await file.close();
    const bundle = await openBundle(path);
    expect((await bundle.read("a")).values).toEqual(new Float32Array(16));
    await bundle.close();
  });

  it("names a file that is missing among several", async () => {
    const first = join(folder, "part-00000-of-00002");
    await copyFile(fixture("v1-sharded/model.ckpt-10-00000-of-00002"), first);
    const details = { path: join(folder, "part-00001-of-00002") };
    await expect(openBundle(join(folder, "part-?????-of-00002"))).rejects.toMatchObject({ ...refused, details });

    for (const file of ["model.ckpt-10.index", "model.ckpt-10.data-00000-of-00002"]) {
      await copyFile(fixture(`sharded/${file}`), join(folder, file));
    }
    const bundle = await openBundle(join(folder, "model.ckpt-10"));
    expect((await bundle.read("on_0/steps")).values).toEqual(BigInt64Array.of(0n, 7n));
    const second = { path: join(folder, "model.ckpt-10.data-00001-of-00002") };
    await expect(bundle.read("on_1/steps")).rejects.toMatchObject({ ...refused, details: second });
    await bundle.close();
  });

  it("finds names beyond ASCII", async () => {
    await writeIndex(
      writeTable([
        { key: "", value: header },
        { key: encodeKey("é/kernel"), value: entryOf({}) },
      ]),
    );
    const bundle = await openBundle(prefix);
    expect((await bundle.read("é/kernel")).values).toHaveLength(16);
    await bundle.close();
  });
});
