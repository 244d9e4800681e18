import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** Whole pipelines: from nothing, stopped and gone on with, with soups, a test split and latency. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ["test/slow/**/*.test.ts"],
    exclude: [],
    globalSetup: "./test/finished-run.ts",
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
