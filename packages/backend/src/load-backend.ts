import { CkptError } from "@ckpt/manifest";

import { activateBackend } from "./activate-backend.js";
import type { BackendName } from "./backend-name.js";
import { loadTensorflowBackend } from "./load-tensorflow-backend.js";
import { loadWasmBackend } from "./load-wasm-backend.js";

async function loadCpuBackend(): Promise<void> {
  if (!(await activateBackend("cpu"))) {
    throw new CkptError("BACKEND_UNAVAILABLE", {
      backend: "cpu",
      reason: "@tensorflow/tfjs does not start it.",
      remedy: "Install @tensorflow/tfjs again: npm install @tensorflow/tfjs",
    });
  }
}

const loaders: Readonly<Record<BackendName, () => Promise<void>>> = {
  tensorflow: loadTensorflowBackend,
  wasm: loadWasmBackend,
  cpu: loadCpuBackend,
};

/**
 * Imports, initialises and completes a backend, and makes it the current one. On failure the current one stays.
 *
 * @throws {CkptError} BACKEND_UNAVAILABLE when it cannot be used here, with the reason and the remedy.
 */
export function loadBackend(name: BackendName): Promise<void> {
  return loaders[name]();
}
