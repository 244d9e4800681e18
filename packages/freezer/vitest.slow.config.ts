import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** A run frozen by several threads, which may fail. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/slow/**/*.test.ts"], exclude: [] },
});
