import { mkdirSync, readdirSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, it } from "vitest";

import { loadDataset } from "../src/index.js";
import { createFolder, failureOf, writeFile, writeParquet } from "./data-files.js";

const folder = createFolder();
// Next to them are the files that the names would match as patterns.
for (const name of ["data1.csv", "anything.csv", "data1.parquet", "data1.ndjson"])
  writeFile(folder, name, "a,y\n9,0\n9,0\n");

const load = (path: string) =>
  loadDataset({ files: [{ path, fractions: { test: 1 } }], inputs: { x: { columns: "a" } }, label: { column: "y" } });

it.each([
  "data[1].csv",
  "it's.csv",
  "*.csv",
  "wh?t.csv",
  "{a,b}.csv",
  "a ]b[ %20 \u{e9}.csv",
  "back\\slash.csv",
  "year=2020/[x]*'/rows.csv",
  "UPPER.CSV",
  "data[1].csv.gz",
])("reads the one file whose name is %s", async (name) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  const [split] = await load(writeFile(folder, name, "a,y\n5,0\n"));
  expect((await split!.read(0, split!.rowCount)).inputs["x"]?.data).toEqual(Float32Array.of(5));
});

it("takes names of NDJSON and Parquet files literally too", async () => {
  const ndjson = writeFile(folder, "data[1].ndjson", '{"a":5,"y":0}\n');
  const parquet = await writeParquet(folder, "data[1]'.parquet", "SELECT 5 AS a, 0 AS y");
  const [fromNdjson] = await load(ndjson);
  const [fromParquet] = await load(parquet);
  expect(fromNdjson?.rowCount).toBe(1);
  expect(fromParquet?.digest).toBe(fromNdjson?.digest);
});

it("makes no column out of a folder's name", async () => {
  const partition = join(folder, "year=2021");
  mkdirSync(partition);
  for (const path of [
    writeFile(partition, "rows.csv", "a,y\n5,0\n"),
    writeFile(partition, "rows.ndjson", '{"a":5,"y":0}\n'),
    await writeParquet(partition, "rows.parquet", "SELECT 5 AS a, 0 AS y"),
  ]) {
    const failure = await failureOf(
      loadDataset({
        files: [{ path, fractions: { test: 1 } }],
        inputs: { x: { columns: "year" } },
        label: { column: "y" },
      }),
    );
    expect(failure).toMatchObject({ code: "DATA_COLUMN_NOT_FOUND", details: { available: ["a", "y"] } });
  }
});

it.runIf(process.platform === "linux")("leaves no file open and no file behind, with or without an error", async () => {
  const good = writeFile(folder, "good.csv", `a,y\n${"1,0\n".repeat(100_000)}`);
  const bad = writeFile(folder, "bad.csv.gz", `a,y\n1,x\nq,0\n${"1,0\n".repeat(100_000)}`);
  const ragged = writeFile(folder, "ragged.csv", `a,y\n1\n${"1,0\n".repeat(100_000)}`);
  const parquet = await writeParquet(folder, "bad.parquet", "SELECT 'x' AS a, 0 AS y FROM range(100000)");
  const before = [readdirSync(folder), readdirSync(process.cwd())];
  await load(good);
  for (const path of [bad, ragged, parquet]) await failureOf(load(path));
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the descriptor of the listing itself
    }
  });
  expect(open.filter((path) => path.startsWith(folder))).toEqual([]);
  expect([readdirSync(folder), readdirSync(process.cwd())]).toEqual(before);
});
