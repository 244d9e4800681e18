import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fixture } from "../test/expected-tensors.js";
import { listCheckpoints } from "./list-checkpoints.js";
import { nameAsObjects, readTrackedTensors } from "./object-graph.js";
import { openBundle } from "./open-bundle.js";
import { recordCheckpoint } from "./state-file.js";
import { countValues } from "./tensor-shape.js";
import { asTensor, fixedStorages, tensorDtypes, type TensorValue } from "./tensor-value.js";
import { writeBundle } from "./write-bundle.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-bundle-"));
});
afterAll(() => rm(folder, { recursive: true }));

const vector: TensorValue = { dtype: "float32", shape: [2], values: Float32Array.of(1.5, -2) };

/** Any tensor: every dtype, any bits. */
const tensors: fc.Arbitrary<TensorValue> = fc
  .record({ dtype: fc.constantFrom(...tensorDtypes), shape: fc.array(fc.nat(4), { maxLength: 4 }) })
  .chain(({ dtype, shape }) => {
    const count = countValues(shape);
    if (dtype === "string") {
      const values = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: count, maxLength: count });
      return values.map((values) => asTensor(dtype, shape, values));
    }
    const { Array, width } = fixedStorages[dtype];
    const size = count * width * Array.BYTES_PER_ELEMENT;
    const bytes = fc.uint8Array({ minLength: size, maxLength: size });
    return bytes.map((bytes) => asTensor(dtype, shape, new Array(bytes.slice().buffer, 0, count * width)));
  });
const names = fc.string({ unit: "binary", minLength: 1 }).filter((name) => !name.startsWith("\0"));

/** The place of a tensor of the `many` fixture in the order it was written in. */
function numberOf(name: string): number {
  const [, tower, block] = /tower_(\d)\/block_(\d+)/.exec(name)!;
  return Number(tower) + 7 * Number(block);
}

/** Values as bytes, so that every NaN equals itself only. */
function bitsOf({ dtype, shape, values }: TensorValue): unknown {
  if (dtype === "string") return { dtype, shape, values: values.map((value) => Buffer.from(value).toString("hex")) };
  return { dtype, shape, values: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex") };
}

async function readAll(prefix: string): Promise<ReadonlyMap<string, TensorValue>> {
  const bundle = await openBundle(prefix);
  try {
    const found = new Map<string, TensorValue>();
    for (const key of bundle.entries.keys()) found.set(key, await bundle.read(key));
    return found;
  } finally {
    await bundle.close();
  }
}

describe("writeBundle", () => {
  it("gives back every tensor bit by bit", async () => {
    let count = 0;
    const maps = fc.uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(maps, async (entries) => {
        const prefix = join(folder, `any-${count++}`);
        await writeBundle(prefix, new Map(entries));
        const found = await readAll(prefix);
        expect(found.size).toBe(entries.length);
        for (const [name, tensor] of entries) expect(bitsOf(found.get(name)!)).toEqual(bitsOf(tensor));
      }),
    );
  });

  it("writes the bytes that TensorFlow writes for the same tensors in the same order", async () => {
    const names = ["cat", "", "horse"].map((name) => new TextEncoder().encode(name));
    const prefix = join(folder, "small");
    await writeBundle(
      prefix,
      new Map<string, TensorValue>([
        ["bias", vector],
        ["names", { dtype: "string", shape: [3], values: names }],
        ["step", { dtype: "int64", shape: [], values: BigInt64Array.of(41n) }],
      ]),
    );
    for (const file of ["small.index", "small.data-00000-of-00001"]) {
      expect(await readFile(join(folder, file)), file).toEqual(await readFile(fixture(`small/${file}`)));
    }
  });

  it("reads and writes an index of several blocks as TensorFlow does", async () => {
    for (const file of ["many.index", "many.data-00000-of-00001"]) {
      await writeFile(join(folder, file), gunzipSync(await readFile(fixture(`many/${file}.gz`))));
    }
    const found = await readAll(join(folder, "many"));
    expect(found.size).toBe(6000);
    const inOrder = [...found].toSorted(([a], [b]) => numberOf(a) - numberOf(b));
    for (const [index, [, { values }]] of inOrder.entries()) expect(values[0]).toBe(index);

    await writeBundle(join(folder, "again"), new Map(inOrder));
    const written = await readFile(join(folder, "again.index"));
    expect(written.length).toBeGreaterThan(262_144);
    expect(written.equals(await readFile(join(folder, "many.index")))).toBe(true);
  });

  it.each([
    ["an empty name", "", vector],
    ["the name of a slice", "\0a", vector],
    ["half a character", "\ud800", vector],
    ["too few values", "a", { ...vector, shape: [3] }],
    ["a size below 0", "a", { ...vector, shape: [-2, -1] }],
  ] as const)("refuses %s and writes nothing", async (_, name, tensor) => {
    const refused = join(folder, "refused", "a");
    await expect(writeBundle(refused, new Map([[name, tensor]]))).rejects.toMatchObject({ code: "INVALID_OPTION" });
    expect(await readdir(folder)).not.toContain("refused");
  });

  it("does not replace a checkpoint", async () => {
    const prefix = join(folder, "once");
    await writeBundle(prefix, new Map([["a", vector]]));
    await expect(writeBundle(prefix, new Map([["b", vector]]))).rejects.toMatchObject({ code: "TARGET_EXISTS" });
    expect([...(await readAll(prefix)).keys()]).toEqual(["a"]);
  });
});

describe("recordCheckpoint", () => {
  it("lists checkpoints in the order they were recorded, the last one as the latest", async () => {
    const run = join(folder, "run");
    for (const step of [10, 20]) await writeBundle(join(run, `model.ckpt-${step}`), new Map([["a", vector]]));
    for (const step of [10, 20, 10]) await recordCheckpoint(join(run, `model.ckpt-${step}`));
    expect(await readFile(join(run, "checkpoint"), "utf8")).toBe(
      'model_checkpoint_path: "model.ckpt-10"\n' +
        'all_model_checkpoint_paths: "model.ckpt-20"\n' +
        'all_model_checkpoint_paths: "model.ckpt-10"\n',
    );
    const { checkpoints } = await listCheckpoints(run);
    expect(checkpoints.map(({ step }) => step)).toEqual([20, 10]);
  });
});

describe("nameAsObjects", () => {
  it("gives keys and a graph that lead back to the names", async () => {
    const prefix = join(folder, "objects");
    await writeBundle(prefix, nameAsObjects(new Map([["model/dense.1/kernel", vector]])));
    const bundle = await openBundle(prefix);
    expect(await readTrackedTensors(bundle)).toEqual([
      {
        key: "save_counter/.ATTRIBUTES/VARIABLE_VALUE",
        path: "save_counter",
        fullName: "save_counter",
      },
      {
        key: "model/dense..1/kernel/.ATTRIBUTES/VARIABLE_VALUE",
        path: "model/dense..1/kernel",
        fullName: "model/dense.1/kernel",
      },
    ]);
    await bundle.close();
  });
});
