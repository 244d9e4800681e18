import { type BackendRequest, selectBackend } from "@ckpt/backend";

import { loadConfig } from "./load-config.js";
import { registerModules } from "./register-modules.js";

/** What decides which layers are known and which backend runs. Plain data. */
export interface FreezeSetUp {
  /** The configuration file: importing it registers layers. */
  readonly config?: string;
  readonly backend?: BackendRequest;
  /** As given to `--register`, in the working directory. */
  readonly register: readonly string[];
}

/** This module, for `workers` of `freezeRun`. Run from source, it keeps the extension that it has there. */
export const freezeWorkerModule: string = new URL(
  import.meta.url.endsWith(".ts") ? "./set-up-freeze-worker.ts" : "./set-up-freeze-worker.js",
  import.meta.url,
).href;

/** Prepares a worker as the main thread was prepared. */
export async function setUpFreezeWorker(data: unknown): Promise<void> {
  const { config, backend, register } = data as FreezeSetUp;
  if (config !== undefined) await loadConfig(config);
  await registerModules(register, process.cwd());
  await selectBackend(backend);
}
