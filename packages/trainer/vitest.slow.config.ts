import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** Tests that take minutes: a process killed everywhere instead of at a sample of places, and a thousand saves. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ["test/faults/killed-anywhere.test.ts", "test/slow/**/*.test.ts"],
    env: { DEATH_STRIDE: "1" },
    testTimeout: 1_200_000,
    fileParallelism: false,
  },
});
