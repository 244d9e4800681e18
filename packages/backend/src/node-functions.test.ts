import { createRequire } from "node:module";

import { describe, expect, it } from "vitest";

import { restoreNodeFunctions } from "./node-functions.js";

type LegacyUtil = Record<"isArray" | "isNullOrUndefined", (value: unknown) => boolean>;

describe("restoreNodeFunctions", () => {
  // The object that the CommonJS code of tfjs-node requires.
  const util = createRequire(import.meta.url)("util") as Partial<LegacyUtil>;

  it("puts back what Node 23 removed, where tfjs-node looks for it", () => {
    delete util.isNullOrUndefined;
    delete util.isArray;
    restoreNodeFunctions();
    expect([null, undefined, 0, "", []].map((value) => util.isNullOrUndefined?.(value))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([[], {}, null].map((value) => util.isArray?.(value))).toEqual([true, false, false]);
  });
});
