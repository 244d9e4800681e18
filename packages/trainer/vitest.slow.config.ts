import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** A process killed everywhere, every optimizer resumed at every step, a thousand saves. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ["test/slow/**/*.test.ts"],
    exclude: [],
    testTimeout: 1_200_000,
    fileParallelism: false,
  },
});
