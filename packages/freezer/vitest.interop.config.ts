import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** Tests of what runs in tfjs-node, whose native addon `scripts/interop/run.sh` builds first. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/interop/**/*.test.ts"], exclude: [] },
});
