import { describe, expect, it } from "vitest";

import { formatBytes, formatMetric, formatTable, leftColumn, rightColumn } from "./table.js";

describe("formatTable", () => {
  it("aligns cells under their headings, as wide as the widest, with no trailing space", () => {
    const columns = [leftColumn("name"), rightColumn("size"), leftColumn("note")];
    const rows = [
      ["a", "1234567", ""],
      ["longer", "8", "kept"],
    ];
    expect(formatTable(columns, rows)).toBe(
      ["name       size  note", "a       1234567", "longer        8  kept", ""].join("\n"),
    );
  });

  it("leaves missing cells empty and prints the headings of a table without rows", () => {
    expect(formatTable([leftColumn("a"), rightColumn("b")], [["x"]])).toBe("a  b\nx\n");
    expect(formatTable([leftColumn("a"), rightColumn("b")], [])).toBe("a  b\n");
  });
});

describe("formatMetric", () => {
  it.each([
    [0, "0.0000"],
    [0.96, "0.9600"],
    [12.345_67, "12.3457"],
    [0.0001, "0.0001"],
    [0.000_012_3, "1.2e-5"],
    [-0.000_012_3, "-1.2e-5"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
  ])("%d is %s", (value, text) => expect(formatMetric(value)).toBe(text));
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [62_731, "62.7 kB"],
    [1_900_000, "1.9 MB"],
    [5e15, "5000.0 TB"],
  ])("%d is %s", (sizeBytes, text) => expect(formatBytes(sizeBytes)).toBe(text));
});
