import { fileURLToPath } from "node:url";

import type { Split } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { datasetFromArrays, loadDataset, type LoadDatasetOptions } from "../src/index.js";
import { createFolder, writeFile, writeParquet } from "./data-files.js";

const folder = createFolder();

// 600 distinct rows (p0 is the number of the row); numbered columns past 9, decimals that are no binary fractions,
// negative values, and a class name.
const columnCount = 12;
const names = Array.from({ length: columnCount }, (_, index) => `p${index}`);
const rows = Array.from({ length: 600 }, (_, row) => ({
  values: names.map((_, index) => (index === 0 ? row : (((row * 31 + index * 17) % 101) - 50) / 10)),
  kind: ["cat", "dog", "eel"][row % 3] ?? "",
}));
const csv = `${[...names, "kind"].join(",")}\n${rows.map(({ values, kind }) => [...values, kind].join(",")).join("\n")}\n`;
const ndjson = rows
  .map(({ values, kind }) =>
    JSON.stringify(Object.fromEntries([...names.map((name, i) => [name, values[i]]), ["kind", kind]])),
  )
  .join("\n");

const csvPath = writeFile(folder, "rows.csv", csv);
const paths = {
  csv: csvPath,
  "csv.gz": writeFile(folder, "rows.csv.gz", csv),
  "quoted csv with CR LF and a byte order mark": writeFile(
    folder,
    "quoted.csv",
    `\u{feff}${csv.replaceAll(/[^,\n]+/gu, '"$&"').replaceAll("\n", "\r\n")}`,
  ),
  ndjson: writeFile(folder, "rows.ndjson", ndjson),
  "jsonl.gz": writeFile(folder, "rows.jsonl.gz", ndjson),
  "parquet of doubles": await writeParquet(folder, "doubles.parquet", `FROM '${csvPath}'`),
  "parquet of floats": await writeParquet(
    folder,
    "floats.parquet",
    `SELECT ${names.map((name) => `${name}::FLOAT AS ${name}`).join(", ")}, kind FROM '${csvPath}'`,
  ),
};

const fractions = { train: 0.5, validation: 0.2, select: 0.2, test: 0.1 };
const optionsFor = (path: string, changes: Partial<LoadDatasetOptions> = {}): LoadDatasetOptions => ({
  files: [{ path, fractions }],
  seed: 7,
  inputs: { x: { columns: /^p/u, shape: [3, 4], scale: 0.1 } },
  label: { column: "kind" },
  ...changes,
});
const load = (path: string, changes?: Partial<LoadDatasetOptions>) => loadDataset(optionsFor(path, changes));
const digestsOf = (splits: readonly Split[]) => splits.map(({ name, digest }) => [name, digest]);

/** The digest of a file as one split. */
async function digestOf(path: string, changes: Partial<LoadDatasetOptions> = {}): Promise<string | undefined> {
  const [split] = await load(path, { files: [{ path, fractions: { test: 1 } }], ...changes });
  return split?.digest;
}

/** Per split, the numbers of its rows, which are in column p0. */
async function listRows(splits: readonly Split[], scale = 0.1): Promise<number[][]> {
  const batches = await Promise.all(splits.map((split) => split.read(0, split.rowCount)));
  return batches.map(({ inputs }) =>
    [...(inputs["x"]?.data ?? [])].filter((_, at) => at % columnCount === 0).map((value) => Math.round(value / scale)),
  );
}

describe("the same rows in every format", () => {
  const reference = load(paths.csv);

  it("become float32 values in the file's column order, scaled, with sorted class names", async () => {
    const [all] = await loadDataset({ ...optionsFor(paths.csv), files: [{ path: paths.csv, fractions: { test: 1 } }] });
    expect(all).toMatchObject({ name: "test", role: "test", rowCount: 600, classes: ["cat", "dog", "eel"] });
    expect(all?.inputs).toEqual([{ name: "x", dtype: "float32", shape: [null, 3, 4] }]);
    const batch = await all!.read(0, 600);
    expect(batch.inputs["x"]?.shape).toEqual([600, 3, 4]);
    const expected = Float32Array.from(rows.flatMap(({ values }) => values.map((value) => Math.fround(value) * 0.1)));
    expect(batch.inputs["x"]?.data).toEqual(expected);
    expect(batch.labels).toEqual({ data: Int32Array.from(rows, (_, row) => row % 3), shape: [600] });
  });

  it.each(Object.entries(paths))("give the same splits from %s", async (_, path) => {
    expect(digestsOf(await load(path))).toEqual(digestsOf(await reference));
  });

  it("give the same splits from arrays", async () => {
    const splits = await datasetFromArrays({
      inputs: { x: { values: rows.flatMap(({ values }) => values), shape: [3, 4], scale: 0.1 } },
      label: { values: rows.map(({ kind }) => kind) },
      fractions,
      seed: 7,
    });
    expect(digestsOf(splits)).toEqual(digestsOf(await reference));
  });

  it("have other digests for another value, label, class list, shape, scale or name", async () => {
    const digests = await Promise.all([
      digestOf(paths.csv),
      digestOf(writeFile(folder, "value.csv", csv.replace("0,-3.3,", "0,-3.4,"))),
      digestOf(writeFile(folder, "label.csv", csv.replace("cat", "dog"))),
      digestOf(paths.csv, { label: { column: "kind", classes: ["dog", "cat", "eel"] } }),
      digestOf(paths.csv, { label: { column: "kind", classes: ["cat", "dog", "eel", "fox"] } }),
      digestOf(paths.csv, { inputs: { x: { columns: /^p/u, scale: 0.1 } } }),
      digestOf(paths.csv, { inputs: { x: { columns: /^p/u, shape: [3, 4] } } }),
      digestOf(paths.csv, { inputs: { y: { columns: /^p/u, shape: [3, 4], scale: 0.1 } } }),
    ]);
    expect(new Set(digests).size).toBe(digests.length);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/u);
  });
});

describe("rows on disk", () => {
  it.each(Object.entries(paths))("give the same splits and digests from %s", async (_, path) => {
    const changes = { storage: "disk", columns: ["kind"] } as const;
    const [splits, reference] = [await load(path, changes), await load(paths.csv, { columns: ["kind"] })];
    expect(digestsOf(splits)).toEqual(digestsOf(reference));
    for (const [index, split] of splits.entries()) {
      const same = reference[index]!;
      expect(split.columns).toEqual(same.columns);
      expect(await split.read(2, 9)).toEqual(await same.read(2, 9));
      expect(await split.gather([5, 1, 1])).toEqual(await same.gather([5, 1, 1]));
    }
  });

  it("are refused as in memory where a cell is no number", async () => {
    const path = writeFile(folder, "text.csv", "p0,kind\n1,cat\nx,dog\n");
    const options = { files: [{ path, fractions: { test: 1 } }], inputs: { x: { columns: ["p0"] } } };
    await expect(load(path, { ...options, storage: "disk" })).rejects.toMatchObject({
      code: "DATA_CELL_INVALID",
      details: { row: 2, column: "p0" },
    });
  });
});

describe("a Parquet file of many columns, which is read in stripes", () => {
  // Three stripes, more rows than a block of 64 MB and a row group of DuckDB hold; the last row group is a short one.
  const wideColumns = 150;
  const wideRows = 60_000;
  const wideNames = Array.from({ length: wideColumns }, (_, index) => `p${index}`);
  const select =
    `SELECT ${wideNames.map((name, index) => `((i * 31 + ${index * 17}) % 1009)::FLOAT AS ${name}`).join(", ")}, ` +
    `'k' || (i % 3) AS kind FROM range(${wideRows}) AS rows(i)`;

  it("has the rows, labels and columns that are in it, in order", async () => {
    const path = await writeParquet(folder, "wide.parquet", select);
    const [split] = await loadDataset({
      files: [{ path, fractions: { test: 1 } }],
      inputs: { x: { columns: /^p/u } },
      label: { column: "kind" },
      columns: ["kind", "p149"],
      storage: "disk",
    });
    expect(split?.rowCount).toBe(wideRows);
    const batch = await split!.gather([0, 55_923, 55_924, wideRows - 1]);
    for (const [at, row] of [0, 55_923, 55_924, wideRows - 1].entries()) {
      const values = batch.inputs["x"]?.data.slice(at * wideColumns, (at + 1) * wideColumns);
      expect(values).toEqual(Float32Array.from(wideNames, (_, index) => (row * 31 + index * 17) % 1009));
      expect(batch.labels.data[at]).toBe(row % 3);
      expect(split?.columns?.["kind"]?.[row]).toBe(`k${row % 3}`);
      expect(Number(split?.columns?.["p149"]?.[row])).toBe((row * 31 + 149 * 17) % 1009);
    }
  });

  it("is read as a whole where it numbers its rows itself", async () => {
    const query = `SELECT *, i AS file_row_number FROM (${select.replace("AS kind", "AS kind, i")} LIMIT 5)`;
    const path = await writeParquet(folder, "numbered.parquet", query);
    const [split] = await load(path, { files: [{ path, fractions: { test: 1 } }], inputs: { x: { columns: /^p/u } } });
    const batch = await split!.read(4, 5);
    expect(batch.inputs["x"]?.data[149]).toBe((4 * 31 + 149 * 17) % 1009);
  });

  it("names the row and column of a cell that is empty", async () => {
    const query = `SELECT * REPLACE (CASE WHEN kind = 'k2' AND p0 = 62 THEN NULL ELSE p149 END AS p149) FROM (${select})`;
    const path = await writeParquet(folder, "wide-null.parquet", query);
    const options = { files: [{ path, fractions: { test: 1 } }], inputs: { x: { columns: /^p/u } } };
    await expect(load(path, options)).rejects.toMatchObject({
      code: "DATA_CELL_INVALID",
      details: { file: path, row: 3, column: "p149", found: "an empty cell" },
    });
  });
});

describe("further columns", () => {
  const changes = { columns: ["kind", "p3"] };

  it.each(Object.entries(paths))("go along with the rows of %s, and change no digest", async (_, path) => {
    const splits = await load(path, changes);
    expect(digestsOf(splits)).toEqual(digestsOf(await load(paths.csv)));
    const numbers = await listRows(splits);
    for (const [index, split] of splits.entries()) {
      expect(split.columns?.["kind"]).toEqual(numbers[index]?.map((row) => rows[row]?.kind));
      expect(split.columns?.["p3"]?.map(Number)).toEqual(numbers[index]?.map((row) => rows[row]?.values[3]));
    }
  });

  it("have null for an empty cell, and are not found where the file has none of the name", async () => {
    const path = writeFile(folder, "empty.csv", "p0,kind,site\n1,cat,\n2,dog,a\n");
    const files = [{ path, fractions: { test: 1 } }];
    const inputs = { x: { columns: ["p0"] } };
    const [split] = await load(path, { files, inputs, columns: ["site"] });
    expect(split?.columns).toEqual({ site: [null, "a"] });
    await expect(load(path, { files, inputs, columns: ["sight"] })).rejects.toMatchObject({
      code: "DATA_COLUMN_NOT_FOUND",
    });
  });
});

describe("splits by hash", () => {
  it("cover every row once, in file order, near the fractions", async () => {
    const splits = await load(paths.csv);
    expect(splits.map(({ role }) => role)).toEqual(["train", "validation", "select", "test"]);
    const numbers = await listRows(splits);
    for (const list of numbers) expect(list).toEqual(list.toSorted((a, b) => a - b));
    expect(numbers.flat().toSorted((a, b) => a - b)).toEqual(rows.map((_, row) => row));
    // Four standard deviations of the binomial are at most 49 rows.
    const sizes = numbers.map((list) => list.length);
    for (const [index, expected] of [300, 120, 120, 60].entries())
      expect(Math.abs(sizes[index]! - expected)).toBeLessThan(50);
  });

  it("never put equal inputs into two roles, whatever their labels", async () => {
    const path = writeFile(
      folder,
      "twins.csv",
      `x,y\n${Array.from({ length: 2000 }, (_, row) => `${row % 97 === 0 ? "-0" : row % 97},${row % 5}`).join("\n")}\n` +
        `0,1\n0.0,2\n`,
    );
    const splits = await load(path, { inputs: { x: { columns: ["x"] } }, label: { column: "y" } });
    const roleOf = new Map<number, string>();
    for (const split of splits) {
      for (const value of (await split.read(0, split.rowCount)).inputs["x"]?.data ?? []) {
        expect(roleOf.get(value) ?? split.role).toBe(split.role);
        roleOf.set(value, split.role);
      }
    }
    expect(roleOf.size).toBe(97);
  });

  it("depend on the seed", async () => {
    const [first, again, other] = await Promise.all([load(paths.csv), load(paths.csv), load(paths.csv, { seed: 8 })]);
    expect(digestsOf(again)).toEqual(digestsOf(first));
    expect(digestsOf(other)).not.toEqual(digestsOf(first));
  });

  it("do not depend on scale, shape or label", async () => {
    const reference = await listRows(await load(paths.csv));
    const scaled = await load(paths.csv, { inputs: { x: { columns: /^p/u, scale: 3 } } });
    expect(await listRows(scaled, 3)).toEqual(reference);
    const relabelled = await load(writeFile(folder, "relabelled.csv", csv.replaceAll("cat", "dog")));
    expect(await listRows(relabelled)).toEqual(reference);
  });

  it("divide one file and take another whole", async () => {
    const more = writeFile(folder, "more.csv", `${csv.split("\n", 1)[0]}\n1,2,3,4,5,6,7,8,9,10,11,12,eel\n`);
    const splits = await load(paths.csv, {
      files: [
        { path: paths.csv, fractions: { train: 0.75, validation: 0.25 } },
        { path: more, fractions: { test: 1 } },
      ],
    });
    expect(splits.map(({ role, rowCount }) => [role, rowCount > 1])).toEqual([
      ["train", true],
      ["validation", true],
      ["test", false],
    ]);
    // The class list is that of both files, so index 2 is "eel" although the second file has no other class.
    expect((await splits[2]!.read(0, 1)).labels.data).toEqual(Int32Array.of(2));
  });

  it("find a further file's columns by name, not by position", async () => {
    const first = writeFile(folder, "ab.csv", "a,b,y\n1,2,0\n");
    const second = writeFile(folder, "ba.csv", "y,b,a\n0,2,1\n0,4,3\n");
    const [train, test] = await loadDataset({
      files: [
        { path: first, fractions: { train: 1 } },
        { path: second, fractions: { test: 1 } },
      ],
      inputs: { x: { columns: "/[ab]/" } },
      label: { column: "y" },
    });
    expect((await train!.read(0, 1)).inputs["x"]?.data).toEqual(Float32Array.of(1, 2));
    expect((await test!.read(0, 2)).inputs["x"]?.data).toEqual(Float32Array.of(1, 2, 3, 4));
  });
});

describe("columns", () => {
  it("may feed several inputs, integers, and regression targets", async () => {
    const path = writeFile(folder, "house.csv", "rooms,area,price,tax\n3,71.5,100.5,7\n4,80,200,8\n");
    const [split] = await loadDataset({
      files: [{ path, fractions: { train: 1 } }],
      inputs: { rooms: { columns: ["rooms"], dtype: "int32" }, rest: { columns: /./u } },
      targets: ["price", "tax"],
    });
    expect(split?.classes).toBeUndefined();
    expect(split?.inputs).toEqual([
      { name: "rooms", dtype: "int32", shape: [null, 1] },
      { name: "rest", dtype: "float32", shape: [null, 2] },
    ]);
    const { inputs, labels } = await split!.read(0, 2);
    expect(inputs["rooms"]?.data).toEqual(Int32Array.of(3, 4));
    // The expression matches every column, but the targets are never among the inputs.
    expect(inputs["rest"]?.data).toEqual(Float32Array.of(3, 71.5, 4, 80));
    expect(labels).toEqual({ data: Float32Array.of(100.5, 7, 200, 8), shape: [2, 2] });
  });

  it("of NDJSON are in the order of their first appearance over all rows", async () => {
    const path = writeFile(folder, "late.ndjson", '{"y":1,"b":2}\n\n{"y":0,"a\'\\"":3,"b":4,"a":5}\n');
    const failure = loadDataset({
      files: [{ path, fractions: { test: 1 } }],
      inputs: { x: { columns: ["z"] } },
      label: { column: "y" },
    });
    await expect(failure).rejects.toMatchObject({ details: { column: "z", available: ["y", "b", "a'\"", "a"] } });
  });

  it("with any name are read by that name", async () => {
    const odd = "sel\"ect 'x'; --";
    const files = [
      writeFile(folder, "odd.csv", `"${odd.replaceAll('"', '""')}","a,b\n",y\n1,2,0\n`),
      writeFile(folder, "odd.ndjson", `${JSON.stringify({ [odd]: 1, "a,b\n": 2, y: 0 })}\n`),
      await writeParquet(folder, "odd.parquet", `SELECT 1 AS "${odd.replaceAll('"', '""')}", 2 AS "a,b\n", 0 AS y`),
    ];
    for (const path of files) {
      const [split] = await loadDataset({
        files: [{ path, fractions: { test: 1 } }],
        inputs: { x: { columns: ["a,b\n", odd] } },
        label: { column: "y" },
      });
      expect((await split!.read(0, 1)).inputs["x"]?.data).toEqual(Float32Array.of(2, 1));
    }
  });
});

describe("the digits example", () => {
  const path = fileURLToPath(new URL("../../../examples/digits/digits.csv.gz", import.meta.url));

  it("splits its 1,797 images into four roles", async () => {
    const splits = await loadDataset({
      files: [{ path, fractions: { train: 0.6, validation: 0.15, select: 0.15, test: 0.1 } }],
      seed: 1,
      inputs: { image: { columns: "/^p\\d+$/", shape: [8, 8, 1], scale: 1 / 16 } },
      label: { column: "digit" },
    });
    expect(splits.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(1797);
    for (const split of splits) {
      expect(split.classes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
      const { inputs, labels } = await split.read(0, split.rowCount);
      expect(Math.max(...(inputs["image"]?.data ?? []))).toBe(1);
      expect(new Set(labels.data).size).toBe(10);
    }
  });

  it("keeps p2 before p10", async () => {
    const [split] = await loadDataset({
      files: [{ path, fractions: { test: 1 } }],
      inputs: { image: { columns: /^p/u } },
      label: { column: "digit", classes: 10 },
    });
    const { inputs, labels } = await split!.read(0, 1);
    expect([...(inputs["image"]?.data ?? [])].slice(0, 16)).toEqual([
      0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0,
    ]);
    expect(labels.data).toEqual(Int32Array.of(0));
  });
});
