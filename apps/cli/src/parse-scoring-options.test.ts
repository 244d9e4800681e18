import { describe, expect, it } from "vitest";

import { parseScoringOptions } from "./parse-scoring-options.js";

const nothing = { slice: [], weight: undefined, "group-by": undefined };

describe("parseScoringOptions", () => {
  it("reads slices by a column, its values and ranges", () => {
    const slice = [
      "site",
      "old=age:60..",
      "young=age:..18.5",
      "mid=age:18..60",
      "west=site:a, b",
      "three=n:3",
      "id=n:03",
    ];
    expect(parseScoringOptions({ ...nothing, slice }).slices).toEqual({
      site: { column: "site" },
      old: { column: "age", range: [60, Infinity] },
      young: { column: "age", range: [-Infinity, 18.5] },
      mid: { column: "age", range: [18, 60] },
      west: { column: "site", in: ["a", "b"] },
      three: { column: "n", in: [3] },
      id: { column: "n", in: ["03"] },
    });
  });

  it("prefers what is typed, one by one", () => {
    const configured = { weights: "w", groupBy: "g", slices: { site: { column: "site" } } };
    expect(parseScoringOptions({ ...nothing, weight: "other" }, configured)).toEqual({
      ...configured,
      weights: "other",
    });
    expect(parseScoringOptions({ ...nothing, slice: ["age"], "group-by": "h" }, configured)).toEqual({
      weights: "w",
      groupBy: "h",
      slices: { age: { column: "age" } },
    });
    expect(parseScoringOptions(nothing)).toEqual({});
  });

  it.each(["", "a=b", "a=:1", "a=b:", "old=age:60..18", "old=age:x..", "site,site"])("refuses %j", (text) => {
    const slice = text === "site,site" ? text.split(",") : [text];
    expect(() => parseScoringOptions({ ...nothing, slice })).toThrow(/--slice: expected/);
  });
});
