import { isCkptError } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { restoreBackend } from "./activate-backend.js";
import { type BackendName, preferredBackends } from "./backend-name.js";
import { loadBackend } from "./load-backend.js";

/** What one backend needs to be used here, if anything. */
export type BackendProbe =
  | { readonly name: BackendName; readonly isAvailable: true }
  | { readonly name: BackendName; readonly isAvailable: false; readonly reason: string; readonly remedy: string };

/**
 * Tries every backend, in the order in which `auto` does, and tells which can be used here. The current backend is
 * the same afterwards; if there was none yet, it is the one that `auto` would take.
 */
export async function probeBackends(): Promise<readonly BackendProbe[]> {
  const current: string | undefined = tf.getBackend();
  const probes: BackendProbe[] = [];
  for (const name of preferredBackends) {
    try {
      await loadBackend(name);
      probes.push({ name, isAvailable: true });
    } catch (error) {
      if (!isCkptError(error, "BACKEND_UNAVAILABLE")) {
        throw error;
      }
      probes.push({ name, isAvailable: false, reason: error.details.reason, remedy: error.remedy });
    }
  }
  await restoreBackend(current ?? probes.find((probe) => probe.isAvailable)?.name);
  return probes;
}
