import { describe, expect, it } from "vitest";

import { chooseQuantizations } from "./choose-quantization.js";

const names = ["conv/kernel", "conv/bias", "dense_1/kernel", "dense_10/kernel"];

describe("chooseQuantizations", () => {
  it("takes the last rule that matches a name", () => {
    const chosen = chooseQuantizations(
      [
        { as: "u8", weights: "*" },
        { as: "f16", weights: "dense_?/*" },
        { as: "none", weights: "conv/*" },
        { as: "u16", weights: "*bias" },
      ],
      names,
    );
    expect(Object.fromEntries(chosen)).toEqual({
      "conv/kernel": "none",
      "conv/bias": "u16",
      "dense_1/kernel": "f16",
      "dense_10/kernel": "u8",
    });
  });

  it("takes everything in a pattern but * and ? as it stands, and the pattern for the whole name", () => {
    expect([...chooseQuantizations([{ as: "u8", weights: "a.b" }], ["a.b", "axb", "a.b/c"]).keys()]).toEqual(["a.b"]);
  });

  it("refuses a rule that matches nothing, and says which names there are", () => {
    expect(() => chooseQuantizations([{ as: "u8", weights: "dense" }], names)).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringContaining("conv/kernel, conv/bias"),
      }),
    );
  });
});
