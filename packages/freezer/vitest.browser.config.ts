import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** The test in a real page, which needs a Chromium. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/browser/**/*.test.ts"], exclude: [] },
});
