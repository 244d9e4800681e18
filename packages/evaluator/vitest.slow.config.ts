import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** Processes and threads that die, disks that are full, files that are damaged. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/slow/**/*.test.ts"], exclude: [] },
});
