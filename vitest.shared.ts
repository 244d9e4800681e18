import { defineConfig } from "vitest/config";

/** The one test configuration, re-exported by each package. */
export default defineConfig({
  resolve: { conditions: ["@ckpt/source"] },
  ssr: { resolve: { conditions: ["@ckpt/source"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/slow/**", "test/interop/**", "test/browser/**"],
    // Every file cleans up after itself; loading TensorFlow.js anew for each of them took three times as long as the
    // tests themselves (packages/graph: 34 s of CPU against 8 s).
    isolate: false,
    // Worker threads started by the code under test inherit these, and so run from source too.
    execArgv: [
      "--conditions=@ckpt/source",
      "--import",
      new URL("./scripts/register-typescript.mjs", import.meta.url).href,
    ],
    testTimeout: 60_000,
  },
});
