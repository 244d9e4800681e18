import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

const base = { ...shared.test, testTimeout: 180_000, hookTimeout: 180_000 };

/** Tests of the parts, and tests of the whole program, which share one finished run. */
export default defineConfig({
  test: {
    // The program's tests mostly wait for it, so two files at a time also where there are only two cores.
    maxWorkers: 2,
    projects: [
      { ...shared, test: { ...base, name: "parts", include: ["src/**/*.test.ts"] } },
      {
        ...shared,
        test: { ...base, name: "program", include: ["test/*.test.ts"], globalSetup: "./test/finished-run.ts" },
      },
    ],
  },
});
