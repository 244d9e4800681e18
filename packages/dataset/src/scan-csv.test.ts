import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { scanCsv } from "./scan-csv.js";

const folder = mkdtempSync(join(tmpdir(), "ckpt-scan-csv-"));
afterAll(() => rmSync(folder, { recursive: true }));

const scan = async (content: string) => {
  const path = join(folder, "data.csv");
  writeFileSync(path, content);
  return scanCsv({ file: "data.csv", path, format: "csv", isGzip: false });
};

describe("scanCsv", () => {
  it.each([
    ["LF", "a,b\n1,2\n3,4\n", 2],
    ["CR LF", "a,b\r\n1,2\r\n3,4\r\n", 2],
    ["CR", "a,b\r1,2\r3,4\r", 2],
    ["no ending of the last line", "a,b\n1,2\n3,4", 2],
    ["a last cell that is empty", "a,b\n1,2\n3,", 2],
    ["blank lines", "a,b\n\n1,2\n\n\n", 1],
    ["commas, quotes and line breaks in quotes", 'a,b\n"1,""\n,""","2\r\n3"\n"",""\n', 2],
    ["quotes inside a cell that is not quoted", 'a,b\n1"x,y"\n', 1],
    ["spaces around quotes", 'a,b\n "1,2" , "3"\n', 1],
    ["a header only", "a,b", 0],
  ])("counts the rows of a file with %s", async (_, content, rowCount) => {
    expect(await scan(content)).toEqual({ header: ["a", "b"], rowCount });
  });

  it("counts a blank line as a row where there is one column", async () => {
    expect(await scan("a\n1\n\n3\n")).toEqual({ header: ["a"], rowCount: 3 });
  });

  it.each([
    ["\u{feff}a,b", ["a", "b"]],
    ['"a,b", "c""d" ,"e\nf"', ["a,b", 'c"d', "e\nf"]],
    [",b , ", ["", "b ", " "]],
    [`${"long ".repeat(100_000)},b`, ["long ".repeat(100_000), "b"]],
  ])("takes the header apart: %.20s", async (line, header) => {
    const row = header.map(() => "1").join(",");
    expect(await scan(`${line}\r\n${row}\r\n`)).toEqual({ header, rowCount: 1 });
    expect(await scan(`${line}\n${row}\n`)).toEqual({ header, rowCount: 1 });
  });

  it("keeps count across the ends of chunks, wherever they fall", async () => {
    // 1.1 MB in chunks of 256 KiB, with records of up to 45 bytes and 6 lines.
    const records = Array.from({ length: 40_000 }, (_, row) => `"${'""x\r\n,'.repeat(row % 6)}",${row}\r\n`).join("");
    for (const shift of [0, 1, 2, 3, 4, 5]) {
      const content = `a,b\r\n${"z".repeat(shift)},0\r\n${records}`;
      expect(await scan(content)).toEqual({ header: ["a", "b"], rowCount: 40_001 });
      await expect(scan(`${content}1\r\n`)).rejects.toMatchObject({
        code: "DATA_ROW_RAGGED",
        details: { line: content.split("\n").length, expectedColumns: 2, foundColumns: 1 },
      });
    }
  });
});
