import process from "node:process";

import { CkptError } from "@ckpt/manifest";

import { activateBackend } from "./activate-backend.js";
import { restoreNodeFunctions } from "./node-functions.js";

const packageName = "@tensorflow/tfjs-node";

/** Imports tfjs-node, which registers the backend `tensorflow`, without a word on the console. */
async function importTfjsNode(): Promise<void> {
  restoreNodeFunctions();
  // TensorFlow's C++ logger tells about CPU instructions on stderr at level INFO.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "1";
  await import("@tensorflow/tfjs-node");
}

const hasCode = (error: Error, code: string): boolean => "code" in error && error.code === code;

function describeImportFailure(cause: unknown): { readonly reason: string; readonly remedy: string } {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (hasCode(error, "ERR_MODULE_NOT_FOUND") && error.message.includes(`'${packageName}'`)) {
    return {
      reason: `${packageName} is not installed.`,
      remedy: `Add it to your project: npm install ${packageName}; or use the backend wasm.`,
    };
  }
  if (error.message.includes("tfjs_binding.node) can not be found")) {
    return {
      reason: `${packageName} is installed, but its native addon is not.`,
      remedy: `Build it: npm rebuild ${packageName} --build-addon-from-source; or use the backend wasm.`,
    };
  }
  const [firstLine = ""] = error.message.split("\n");
  return {
    reason: `${packageName} is installed, but does not load: ${firstLine}`,
    remedy: `Install it again: npm install ${packageName}; or use the backend wasm.`,
  };
}

/**
 * Loads tfjs-node and makes `tensorflow` the current backend.
 *
 * @throws {CkptError} BACKEND_UNAVAILABLE when the package or its native addon is missing or does not load.
 */
export async function loadTensorflowBackend(): Promise<void> {
  try {
    await importTfjsNode();
  } catch (cause) {
    throw new CkptError("BACKEND_UNAVAILABLE", { backend: "tensorflow", ...describeImportFailure(cause) }, { cause });
  }
  if (!(await activateBackend("tensorflow"))) {
    throw new CkptError("BACKEND_UNAVAILABLE", {
      backend: "tensorflow",
      reason: `${packageName} loads, but TensorFlow does not start.`,
      remedy: "Use the backend wasm.",
    });
  }
}
