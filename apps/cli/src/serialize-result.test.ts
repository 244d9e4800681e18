import { describe, expect, it } from "vitest";

import { serializeResult } from "./serialize-result.js";

describe("serializeResult", () => {
  it("is one JSON document led by its version, with a final line feed", () => {
    const text = serializeResult({ command: "ls", runs: [] });
    expect(text).toBe(`{\n  "schemaVersion": 1,\n  "command": "ls",\n  "runs": []\n}\n`);
  });

  it("keeps values that are no JSON numbers as text", () => {
    const metrics = { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY, d: 0.5 };
    expect(JSON.parse(serializeResult({ metrics }))).toEqual({
      schemaVersion: 1,
      metrics: { a: "NaN", b: "Infinity", c: "-Infinity", d: 0.5 },
    });
  });
});
