import { defineConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** All tests but those that take minutes. */
export default defineConfig({ ...shared, test: { ...shared.test, exclude: [...shared.test.exclude, "test/slow/**"] } });
