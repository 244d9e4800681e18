import { describe, expect, it } from "vitest";

import { describeNames } from "./describe-names.js";

describe("describeNames", () => {
  it("gives a few names all, the most alike first", () => {
    expect(describeNames("encoder/dens1", ["pool", "encoder/dense_2", "encoder/dense_1"])).toBe(
      "encoder/dense_1, encoder/dense_2, pool",
    );
  });

  it("gives a name once that stands there twice, a layer's and its output's", () => {
    expect(describeNames("b", ["classes", "bb", "classes"])).toBe("bb, classes");
  });

  it("gives twelve of many, and says how many more there are", () => {
    const names = Array.from({ length: 40 }, (_, index) => `layer_${index}`);
    const text = describeNames("Layer_17", names);
    expect(text).toMatch(/^layer_17, /);
    expect(text).toMatch(/ and 28 more$/);
  });
});
