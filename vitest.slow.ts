import { defineConfig } from "vitest/config";

import shared from "./vitest.shared.js";

/** The tests that take long: processes killed at every call, disks that are full, whole pipelines. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/slow/**/*.test.ts"], exclude: [] },
});
