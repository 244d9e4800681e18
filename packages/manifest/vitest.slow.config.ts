import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** A process killed at every call to the file system. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/slow/**/*.test.ts"], exclude: [] },
});
