import { defineConfig } from "vitest/config";

import slow from "../../vitest.slow.js";

/** A process killed everywhere, every optimizer resumed at every step, a thousand saves: minutes, one file at a time. */
export default defineConfig({
  ...slow,
  test: { ...slow.test, testTimeout: 1_200_000, fileParallelism: false },
});
