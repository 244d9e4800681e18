import { mergeConfig } from "vitest/config";

import shared from "../../vitest.shared.js";

/** No file leaves anything behind for the next, and a process for each of them would take as long as the tests. */
export default mergeConfig(shared, { test: { isolate: false } });
