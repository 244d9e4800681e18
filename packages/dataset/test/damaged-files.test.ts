import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { loadDataset, type LoadDatasetOptions } from "../src/index.js";
import { createFolder, failureOf, writeFile, writeParquet } from "./data-files.js";

const folder = createFolder();

const failureFor = (path: string, changes: Partial<LoadDatasetOptions> = {}) =>
  failureOf(
    loadDataset({
      files: [{ path, fractions: { test: 1 } }],
      inputs: { x: { columns: ["a", "b"] } },
      label: { column: "y", classes: 3 },
      ...changes,
    }),
  );
let fileCount = 0;
const write = (ending: string, content: string | Uint8Array) => writeFile(folder, `${fileCount++}.${ending}`, content);

/** Writes bytes as they are, whatever the name ends in. */
const writeRaw = (name: string, bytes: Uint8Array) => {
  const path = join(folder, `${fileCount++}.${name}`);
  writeFileSync(path, bytes);
  return path;
};

/** The reason in DATA_UNREADABLE. */
const reasonFor = async (path: string) => {
  const { code, details } = await failureFor(path);
  expect([code, details]).toMatchObject(["DATA_UNREADABLE", { file: path }]);
  return (details as { reason: string }).reason;
};

/** Expects DATA_CELL_INVALID in row 2 of the file. */
async function expectCell(
  path: string,
  column: string,
  expected: string,
  found: string,
  options?: Partial<LoadDatasetOptions>,
) {
  expect(await failureFor(path, options)).toEqual({
    code: "DATA_CELL_INVALID",
    details: { file: path, row: 2, column, expected, found },
  });
}

describe("a cell that is no finite number", () => {
  it.each([
    ["abc", '"abc"'],
    ["", "an empty cell"],
    ['""', "an empty cell"],
    ["NaN", '"NaN"'],
    ["nan", '"nan"'],
    ["inf", '"inf"'],
    ["-Infinity", '"-Infinity"'],
    ["1e400", '"1e400"'],
    ["1e39", '"1e39"'], // above the range of float32
    ["true", '"true"'],
    ["0x1F", '"0x1F"'],
    ["1_000", '"1_000"'],
    ['"1,5"', '"1,5"'],
    ['"x\ny"', '"x\\ny"'],
    ["NULL", '"NULL"'],
  ])("is named in CSV: %s", async (cell, found) => {
    await expectCell(write("csv", `a,b,y\n1,2,0\n3,${cell},1\n5,6,2\n`), "b", "a finite number", found);
  });

  it.each([
    ['"4"', '"4"'],
    ["null", "an empty cell"],
    ["true", '"true"'],
    ["[1]", '"[1]"'],
    ["NaN", '"NaN"'],
    ["1e999", '"1e999"'],
  ])("is named in NDJSON: %s", async (cell, found) => {
    const path = write("ndjson", `{"a":1,"b":2,"y":0}\n{"a":3,"b":${cell},"y":1}\n`);
    await expectCell(path, "b", "a finite number", found);
  });

  it("is named in NDJSON where the key is missing", async () => {
    await expectCell(write("ndjson", '{"a":1,"b":2,"y":0}\n{"a":3,"y":1}\n'), "b", "a finite number", "an empty cell");
  });

  it.each([
    ["'nan'::DOUBLE", '"nan"'],
    ["'-inf'::FLOAT", '"-inf"'],
    ["NULL::INT", "an empty cell"],
    ["'7'", '"7"'],
    ["true", '"true"'],
    ["DATE '2020-02-01'", '"2020-02-01"'],
    ["[1, 2]", '"[1, 2]"'],
  ])("is named in Parquet: %s", async (value, found) => {
    const path = await writeParquet(folder, `${fileCount++}.parquet`, `SELECT 1 AS a, ${value} AS b, 1 AS y`);
    const details = { file: path, row: 1, column: "b", expected: "a finite number", found };
    expect(await failureFor(path)).toEqual({ code: "DATA_CELL_INVALID", details });
  });

  it("is named by its row in the file, far behind the first block", async () => {
    const lines = Array.from({ length: 9000 }, (_, row) => (row === 8123 ? "1,oops,0" : `${row},2,0`));
    const path = write("csv", `a,b,y\n${lines.join("\n")}\n`);
    expect(await failureFor(path)).toMatchObject({ details: { row: 8124, column: "b", found: '"oops"' } });
  });

  it("is named among the targets and in an int32 input", async () => {
    const path = write("csv", "a,b,y\n1,2,0\n3,4.5,-\n");
    await expectCell(path, "b", "a 32-bit integer", '"4.5"', { inputs: { x: { columns: "a,b", dtype: "int32" } } });
    expect(
      await failureOf(
        loadDataset({ files: [{ path, fractions: { test: 1 } }], inputs: { x: { columns: "a,b" } }, targets: "y" }),
      ),
    ).toMatchObject({ code: "DATA_CELL_INVALID", details: { row: 2, column: "y", found: '"-"' } });
  });
});

describe("a label that is no class", () => {
  it.each([
    ["3", "a class index from 0 to 2", '"3"'],
    ["-1", "a class index from 0 to 2", '"-1"'],
    ["1.5", "a class index from 0 to 2", '"1.5"'],
    ["x", "a class index from 0 to 2", '"x"'],
    ["", "a class label", "an empty cell"],
  ])("is named: %s of 3 classes", async (label, expected, found) => {
    await expectCell(write("csv", `a,b,y\n1,2,0\n3,4,${label}\n5,6,1\n`), "y", expected, found);
  });

  it("is named when the classes have names", async () => {
    const label = { column: "y", classes: ["cat", "dog"] };
    const path = write("csv", "a,b,y\n1,2,cat\n3,4,dgo\n");
    await expectCell(path, "y", "one of the classes cat, dog", '"dgo"', { label });
  });

  it.each(["-1", "0.5", "123456"])("is named when the classes are inferred from numbers: %s", async (label) => {
    const path = write("csv", `a,b,y\n1,2,0\n3,4,${label}\n`);
    await expectCell(path, "y", "a class index from 0 to 9999", JSON.stringify(label), { label: { column: "y" } });
  });
});

describe("a CSV record of another length", () => {
  it.each([
    ["too short", "a,b,y\n1,2,0\n3,4\n5,6,1\n", 3, 2],
    ["too long", "a,b,y\n1,2,0\n3,4,1,9\n", 3, 4],
    ["too long by an empty cell", "a,b,y\n1,2,0\n3,4,1,\n", 3, 4],
    ["cut off at the end of the file", "a,b,y\n1,2,0\n3,4", 3, 2],
    ["after blank lines and a cell of two lines", 'a,b,y\n\n1,"2\n",0\n\n3\n', 6, 1],
    ["of spaces", "a,b,y\n1,2,0\n  \n", 3, 1],
    ["in a file with CR LF", "a,b,y\r\n1,2,0\r\n\r\n3,4\r\n", 4, 2],
  ])("is named by its line: %s", async (_, content, line, foundColumns) => {
    const path = write("csv", content);
    const details = { file: path, line, expectedColumns: 3, foundColumns };
    expect(await failureFor(path)).toEqual({ code: "DATA_ROW_RAGGED", details });
  });

  it("is found in the last of many rows", async () => {
    const path = write("csv.gz", `a,b,y\n${"1,2,0\n".repeat(200_000)}1,2\n`);
    expect(await failureFor(path)).toMatchObject({ code: "DATA_ROW_RAGGED", details: { line: 200_002 } });
  });
});

describe("a file that cannot be read", () => {
  const numbers = Array.from({ length: 20_000 }, (_, row) => row);
  const contents = {
    "csv.gz": `a,b,y\n${numbers.map((row) => `${row},${row * 7},0`).join("\n")}\n`,
    "ndjson.gz": numbers.map((row) => `{"a":${row},"b":${row * 7},"y":0}\n`).join(""),
  };

  describe.each(Object.entries(contents))("is named: %s", (ending, content) => {
    const gzip = gzipSync(content);
    const flipped = Buffer.from(gzip);
    flipped[flipped.length - 6]! ^= 1; // in the checksum

    it.each([
      ["cut off in the middle", gzip.subarray(0, gzip.length >> 1)],
      ["cut off before the checksum", gzip.subarray(0, gzip.length - 8)],
      ["with a wrong checksum", flipped],
      ["that is not gzip", Buffer.from(content)],
      ["of no bytes", Buffer.alloc(0)],
    ])("%s", async (_, bytes) => {
      const path = writeRaw(ending, bytes);
      expect(await failureFor(path)).toMatchObject({
        code: "DATA_UNREADABLE",
        details: { file: path, reason: expect.stringMatching(/gzip|empty/u) },
      });
    });
  });

  it("is named when it is missing, a folder, of unknown format or not permitted", async () => {
    mkdirSync(join(folder, "folder.csv"));
    expect(await reasonFor(join(folder, "none.csv"))).toBe("no such file");
    expect(await reasonFor(join(folder, "none.parquet"))).toBe("no such file");
    expect(await reasonFor("https://example.invalid/none.csv")).toBe("no such file");
    expect(await reasonFor(join(folder, "folder.csv"))).toBe("it is not a file");
    expect(await reasonFor(write("txt", "a,b,y\n"))).toMatch(/name/u);
    expect(await reasonFor(write("parquet.gz", "a,b,y\n"))).toMatch(/name/u);
    const locked = write("csv", "a,b,y\n1,2,0\n");
    chmodSync(locked, 0);
    // The superuser may read everything.
    if (process.getuid?.() !== 0) expect(await reasonFor(locked)).toBe("permission denied");
  });

  it.each([
    ["nothing at all", "", /line 1 is empty/u],
    ["a blank first line", "\na,b,y\n1,2,0\n", /line 1 is empty/u],
    ["a column name twice", "a,b,a,y\n1,2,3,0\n", /column a is in the header twice/u],
    ["a quote that stays open", 'a,b,y\n1,2,0\n3,"4,1\n5,6,2\n', /line 3: a quote that is never closed/u],
    ["text behind a quoted cell", 'a,b,y\n1,"2"x,0\n', /line 2: text after a closing quote/u],
    ["mixed line endings", "a,b,y\n1,2,0\r\n3,4,1\n", /line 2 ends in CR LF, those before it in LF/u],
    ["bytes that are not UTF-8", Buffer.from("a,b,y\n1,2,\xff\n", "latin1"), /unicode/u],
    ["text in UTF-16", Buffer.from("\u{feff}a,b,y\n1,2,0\n", "utf16le"), /line 1 is not UTF-8/u],
    ["a line of 3 MB", `a,b,y\n1,2,${"0".repeat(3e6)}\n`, /^CSV Error on Line: 2 Maximum line size/u],
  ])("is named when a CSV file has %s", async (_, content, reason) => {
    const { code, details } = await failureFor(write("csv", content));
    expect([code, details]).toEqual([
      "DATA_UNREADABLE",
      { file: expect.any(String), reason: expect.stringMatching(reason) },
    ]);
  });

  it.each([
    ["a line that is cut off", '{"a":1,"b":2,"y":0}\n{"a":1,"b":2', "line 2 is not one JSON object"],
    ["a line of two objects", '{"a":1,"b":2,"y":0}{"a":1}\n', "line 1 is not one JSON object"],
    ["an array", '{"a":1,"b":2,"y":0}\n\n[1]\n', "line 3 is not one JSON object"],
    ["one pretty-printed object", '{"a":1,\n"b":2,"y":0}\n', "line 1 is not one JSON object"],
  ])("is named when an NDJSON file has %s", async (_, content, reason) => {
    const path = write("ndjson", content);
    expect(await failureFor(path)).toEqual({ code: "DATA_UNREADABLE", details: { file: path, reason } });
  });

  it("is named when a Parquet file is damaged", async () => {
    const whole = readFileSync(
      await writeParquet(folder, "whole.parquet", "SELECT i AS a, i AS b, i % 3 AS y FROM range(5000) t(i)"),
    );
    const flippedPages = Buffer.from(whole);
    flippedPages.fill(0xff, 4, 40);
    for (const bytes of [
      whole.subarray(0, whole.length >> 1),
      Buffer.alloc(0),
      Buffer.from("PAR1PAR1"),
      flippedPages,
    ]) {
      const path = writeRaw("parquet", bytes);
      expect(await failureFor(path)).toMatchObject({ code: "DATA_UNREADABLE", details: { file: path } });
    }
  });
});

describe("a selection that does not fit the file", () => {
  const path = write("csv", "a,b,y\n1,2,0\n3,4,1\n");

  it.each([
    ["inputs", { inputs: { x: { columns: ["a", "B"] } } }, "B"],
    ["an expression", { inputs: { x: { columns: "/^z/" } } }, "/^z/"],
    ["an expression for the label alone", { inputs: { x: { columns: /y/u } } }, "/y/u"],
    ["the label", { label: { column: "z" } }, "z"],
  ])("names the missing column of %s and what there is", async (_, changes, column) => {
    const details = { file: path, column, available: ["a", "b", "y"] };
    expect(await failureFor(path, changes)).toEqual({ code: "DATA_COLUMN_NOT_FOUND", details });
  });

  it.each<[string, Partial<LoadDatasetOptions>, string]>([
    ["a shape of another size", { inputs: { x: { columns: "a,b", shape: [3] } } }, "inputs.x.shape"],
    ["a size of 0", { inputs: { x: { columns: "a,b", shape: [2, 0] } } }, "inputs.x.shape"],
    ["a scale of 0", { inputs: { x: { columns: "a,b", scale: 0 } } }, "inputs.x.scale"],
    ["a scaled integer", { inputs: { x: { columns: "a,b", scale: 2, dtype: "int32" } } }, "inputs.x.scale"],
    ["no input", { inputs: {} }, "inputs"],
    ["no column", { inputs: { x: { columns: [] } } }, "columns"],
    ["label and targets", { targets: "y" }, "label"],
    ["no file", { files: [] }, "files"],
    ["a seed that is not whole", { seed: 0.5 }, "seed"],
    ["no class", { label: { column: "y", classes: 0 } }, "label.classes"],
    ["a class twice", { label: { column: "y", classes: ["a", "a"] } }, "label.classes"],
    ["fractions of 0.9", { files: [{ path, fractions: { train: 0.5, test: 0.4 } }] }, "fractions"],
    ["a fraction of 0", { files: [{ path, fractions: { train: 1, test: 0 } }] }, "fractions.test"],
    [
      "one file for two roles",
      {
        files: [
          { path, fractions: { train: 1 } },
          { path, fractions: { test: 1 } },
        ],
      },
      "files",
    ],
  ])("names the option: %s", async (_, changes, option) => {
    expect(await failureFor(path, changes)).toMatchObject({ code: "INVALID_OPTION", details: { option } });
  });

  it("names the split that gets no row", async () => {
    const files = [{ path, fractions: { train: 0.999999, test: 0.000001 } }];
    expect(await failureFor(path, { files })).toEqual({
      code: "DATA_SPLIT_EMPTY",
      details: { files: [path], split: "test", rowCount: 2, fractions: "train 0.999999, test 0.000001" },
    });
    expect(await failureFor(write("csv", "a,b,y\n"))).toMatchObject({
      code: "DATA_SPLIT_EMPTY",
      details: { split: "test", rowCount: 0 },
    });
    expect(
      await failureFor(await writeParquet(folder, "none.parquet", "SELECT 1 AS a, 2 AS b, 0 AS y LIMIT 0")),
    ).toMatchObject({
      code: "DATA_SPLIT_EMPTY",
    });
  });
});
