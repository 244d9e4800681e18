import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type DataOptions, loadDataFile } from "./parse-data-options.js";

let folder: string;
let options: DataOptions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckpt-data-options-"));
  const data = join(folder, "heldout.csv");
  await writeFile(data, "p0,p1,other,digit\n1,2,5,0\n3,4,6,1\n");
  options = { data, input: ["pixels=/^p/"], label: "digit", classes: undefined, scale: undefined, shape: undefined };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function labelsOf(given: DataOptions, known?: readonly string[] | number): Promise<readonly number[]> {
  const batch = await (await loadDataFile(given, "test", known)).read(0, 2);
  return [...batch.labels.data];
}

describe("loadDataFile", () => {
  it("reads all rows as one split of the role, with the columns that an expression selects", async () => {
    const split = await loadDataFile(options, "select");
    expect(split).toMatchObject({ name: "select", role: "select", rowCount: 2 });
    const batch = await split.read(0, 2);
    expect(batch.inputs["pixels"]).toMatchObject({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
    expect([...batch.labels.data]).toEqual([0, 1]);
  });

  it("takes several inputs by names, with scale and shape for each", async () => {
    const given = { ...options, input: ["a=p1,p0", "b=p0,other"], scale: 0.5, shape: "1,2" };
    const batch = await (await loadDataFile(given, "test")).read(0, 1);
    expect(batch.inputs["a"]).toMatchObject({ shape: [1, 1, 2], data: Float32Array.of(1, 0.5) });
    expect(batch.inputs["b"]).toMatchObject({ shape: [1, 1, 2], data: Float32Array.of(0.5, 2.5) });
  });

  it("numbers the classes as the model does: by --classes, else as known, else as found", async () => {
    expect(await labelsOf(options, ["2", "1", "0"])).toEqual([2, 1]);
    expect(await labelsOf({ ...options, classes: "1, 0" }, ["2", "1", "0"])).toEqual([1, 0]);
    expect((await loadDataFile({ ...options, classes: "10" }, "test")).classes).toHaveLength(10);
    expect(await labelsOf(options)).toEqual([0, 1]);
  });

  it.each([
    [{ label: undefined }, "--label"],
    [{ input: [] }, "--input"],
    [{ input: ["pixels"] }, "--input"],
    [{ input: ["=p0"] }, "--input"],
    [{ input: ["a=p0", "a=p1"] }, "--input"],
    [{ classes: "zero,,one" }, "--classes"],
    [{ shape: "8,,1" }, "--shape"],
    [{ shape: "2.5" }, "--shape"],
    [{ shape: "0,8" }, "--shape"],
    [{ scale: Number.NaN }, "--scale"],
    [{ scale: 0 }, "--scale"],
  ])("refuses %j and names %s", async (wrong, option) => {
    await expect(loadDataFile({ ...options, ...wrong }, "test")).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { option },
    });
  });

  it("leaves wrong columns to the dataset, which names the file", async () => {
    await expect(loadDataFile({ ...options, label: "class" }, "test")).rejects.toMatchObject({
      code: "DATA_COLUMN_NOT_FOUND",
      details: { file: options.data, column: "class" },
    });
  });
});
