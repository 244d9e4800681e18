import { describe, expect, it } from "vitest";

import { parseColumnSelector, selectColumns } from "./column-selector.js";

describe("parseColumnSelector", () => {
  it("takes text between slashes for a regular expression with its flags", () => {
    expect(parseColumnSelector("/^p\\d+$/")).toEqual(/^p\d+$/);
    expect(parseColumnSelector("/a,b/c/i")).toEqual(/a,b\/c/i);
  });

  it("takes other text for names separated by commas", () => {
    expect(parseColumnSelector("a, b c ,d/e")).toEqual(["a", "b c", "d/e"]);
    expect(parseColumnSelector("/a")).toEqual(["/a"]);
  });

  it.each(["", "a,,b", "a,", "/(/", "/a/qq"])("refuses %j", (text) => {
    expect(() => parseColumnSelector(text)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});

describe("selectColumns", () => {
  const table = { file: "t.csv", columns: ["id", "p0", "p1", "p10", "p2", "label"] };

  it("keeps the order of the file for a regular expression, and that of the list for names", () => {
    expect(selectColumns(/^p/u, table)).toEqual(["p0", "p1", "p10", "p2"]);
    expect(selectColumns("/^p/", table)).toEqual(["p0", "p1", "p10", "p2"]);
    expect(selectColumns("p2,p0", table)).toEqual(["p2", "p0"]);
  });

  it("does not skip columns for an expression that keeps a position", () => {
    expect(selectColumns(/p/gu, table)).toEqual(["p0", "p1", "p10", "p2"]);
    expect(selectColumns(/p/uy, table)).toEqual(["p0", "p1", "p10", "p2"]);
  });

  it("leaves excluded columns out of a regular expression, not out of a list of names", () => {
    const excluded = new Set(["label"]);
    expect(selectColumns(/[dl]/u, table, excluded)).toEqual(["id"]);
    expect(selectColumns(["label"], table, excluded)).toEqual(["label"]);
  });
});
