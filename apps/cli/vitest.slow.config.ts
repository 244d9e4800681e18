import { defineConfig } from "vitest/config";

import slow from "../../vitest.slow.js";

/** They share one finished run, as the other tests of the program do. */
export default defineConfig({
  ...slow,
  test: {
    ...slow.test,
    globalSetup: "./test/finished-run.ts",
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
