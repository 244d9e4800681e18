import { expect, it } from "vitest";

import { toArtifactRequest } from "./freeze-options.js";

it("keeps pins as text, in an order that is not the caller's: they stand in a document that is hashed", () => {
  const [first, second] = [
    { keep_prob: 1, is_training: false },
    { is_training: "false", keep_prob: "1" },
  ].map((pins) => JSON.stringify(toArtifactRequest({ pins }, {}).pins));
  expect(first).toBe('{"is_training":"false","keep_prob":"1"}');
  expect(second).toBe(first);
});
