import { CkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { averageArrays, type ParentWeights } from "./average-arrays.js";
import type { NamedArray } from "./named-array.js";
import { createRandom } from "./random.js";

function floats(name: string, ...values: readonly number[]): NamedArray {
  return { name, dtype: "float32", shape: [values.length], data: Float32Array.from(values) };
}

function discrete(name: string, value: number): readonly NamedArray[] {
  return [
    { name, dtype: "int32", shape: [2], data: Int32Array.of(value, 7) },
    { name: `${name}/b`, dtype: "bool", shape: [], data: Uint8Array.of(value % 2) },
  ];
}

function parent(path: string, ...arrays: readonly NamedArray[]): ParentWeights {
  return { path, arrays };
}

describe("averageArrays", () => {
  it("is the mean in float64, rounded once", async () => {
    // In float32 the small addends would be lost, and 1/3 of a rounded sum is not the rounded third.
    const values = [
      [16_777_216, 0.1, 1],
      [1, 0.2, 1],
      [1, 0.7, 2],
    ].map((row) => Float32Array.from(row));
    const [mean] = await averageArrays(values.map((row, index) => parent(`${index}`, floats("w", ...row))));
    const expected = [0, 1, 2].map((at) =>
      Math.fround(((values[0]?.[at] ?? 0) + (values[1]?.[at] ?? 0) + (values[2]?.[at] ?? 0)) / 3),
    );
    expect(Array.from(mean?.data ?? [])).toEqual(expected);
    expect(mean?.data[0]).toBe(Math.fround(16_777_218 / 3));
  });

  it("leaves equal parents as they are, and does not change what it is given", async () => {
    const random = createRandom(1, "weights");
    const weights = floats("w", ...Array.from({ length: 1000 }, () => random.next() - 0.5));
    const copy = weights.data.slice();
    const [mean] = await averageArrays(["a", "b", "c", "d", "e"].map((path) => parent(path, weights)));
    expect(mean?.data).toEqual(copy);
    expect(weights.data).toEqual(copy);
  });

  it("takes integers and booleans, and the names, from the last parent", async () => {
    const old = parent("a", ...discrete("old", 3));
    expect(await averageArrays([old, parent("b", ...discrete("new", 8))])).toEqual(discrete("new", 8));
  });

  it.each([
    ["another shape", floats("w", 1, 2, 3), "float32 [2]", "float32 [3]"],
    ["another type", { name: "w", dtype: "int32", shape: [2], data: Int32Array.of(1, 2) }, "float32 [2]", "int32 [2]"],
    ["nothing", undefined, "float32 [2]", "nothing"],
  ] as const)("refuses %s, naming the parent and the weight", async (_, other, expected, found) => {
    const parents = [parent("a", floats("w", 1, 2)), parent("b", ...(other === undefined ? [] : [other]))];
    const error = await averageArrays(parents).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CkptError);
    expect(error).toMatchObject({ code: "WEIGHTS_MISMATCH", details: { path: "b", weight: "w", expected, found } });
  });

  it("asks for a parent only when it is done with the one before", async () => {
    const events: string[] = [];
    const read = async function* (): AsyncGenerator<ParentWeights> {
      for (const name of ["a", "b"]) {
        events.push(`read ${name}`);
        const weights = floats("w", 1);
        yield parent(name, weights);
        // Cleared once it was handed back: had it been kept to be added later, the mean would be 0.
        weights.data.fill(name === "a" ? 0 : 1);
      }
    };
    const [mean] = await averageArrays(read());
    expect(events).toEqual(["read a", "read b"]);
    expect(mean?.data).toEqual(Float32Array.of(1));
  });
});
