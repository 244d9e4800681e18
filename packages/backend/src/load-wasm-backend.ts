import process from "node:process";

import { CkptError } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { activateBackend } from "./activate-backend.js";
import { conv2DBackpropFilterKernel } from "./conv2d-backprop-filter.js";

const fatalEvents = ["uncaughtException", "unhandledRejection"] as const;

/**
 * Runs `action` and takes the listeners for fatal errors it added off the process again. Emscripten's start-up code
 * adds two that only throw again: they change Node's exit code from 1 to 7, and print the library's one line of
 * 37 kB above every stack.
 */
async function withoutFatalListeners<T>(action: () => Promise<T>): Promise<T> {
  const before = new Set(fatalEvents.flatMap((event) => process.rawListeners(event)));
  try {
    return await action();
  } finally {
    for (const event of fatalEvents) {
      for (const listener of process.rawListeners(event)) {
        if (!before.has(listener)) {
          process.off(event, listener as () => void);
        }
      }
    }
  }
}

/** Registers the kernels that training needs and the wasm backend lacks; kernels it has are left alone. */
function completeWasmBackend(): void {
  const registered = tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelName);
  if (!registered.includes(conv2DBackpropFilterKernel.kernelName)) {
    tf.registerKernel(conv2DBackpropFilterKernel);
  }
}

function unavailable(reason: string): CkptError {
  return new CkptError("BACKEND_UNAVAILABLE", {
    backend: "wasm",
    reason,
    remedy: "Run Node without --jitless, or use the backend cpu.",
  });
}

/**
 * Loads the wasm backend, adds the kernels it lacks and makes it the current one. It runs on one thread (tfjs has none
 * of its threads in Node), so results repeat bit for bit; it reads its binaries from its own package.
 *
 * @throws {CkptError} BACKEND_UNAVAILABLE when WebAssembly is off or the module does not start.
 */
export async function loadWasmBackend(): Promise<void> {
  // Before the import: once registered, a backend that cannot start is still the one tfjs tries first by itself.
  if (!("WebAssembly" in globalThis)) {
    throw unavailable("WebAssembly is off in this Node.");
  }
  await import("@tensorflow/tfjs-backend-wasm");
  completeWasmBackend();
  if (!(await withoutFatalListeners(() => activateBackend("wasm")))) {
    throw unavailable("Its WebAssembly module does not start in this Node.");
  }
}
