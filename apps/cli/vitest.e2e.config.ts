import { defineConfig } from "vitest/config";

/** Slow tests of the built and packed packages, each in a folder outside the workspace. */
export default defineConfig({
  test: { include: ["test/e2e/**/*.test.ts"], testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false },
});
