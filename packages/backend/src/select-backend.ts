import { isCkptError } from "@ckpt/manifest";

import { type BackendName, preferredBackends } from "./backend-name.js";
import { loadBackend } from "./load-backend.js";

/** A backend by name, or `auto` for the first of {@link preferredBackends} that works here. */
export type BackendRequest = "auto" | BackendName;

/** A backend that `auto` could not use, and why, in one sentence. */
export interface RejectedBackend {
  readonly name: BackendName;
  readonly reason: string;
}

/** The backend that is current now, why it was taken, and those rejected before it, in the order tried. */
export interface BackendChoice {
  readonly name: BackendName;
  readonly reason: string;
  readonly tried: readonly RejectedBackend[];
}

/**
 * Initialises a tfjs backend, completes it with the kernels that training needs, and makes it the current one.
 * `auto` takes the first that works of {@link preferredBackends}.
 *
 * @throws {CkptError} BACKEND_UNAVAILABLE when the backend asked for cannot be used here, with the remedy.
 */
export async function selectBackend(request: BackendRequest = "auto"): Promise<BackendChoice> {
  if (request !== "auto") {
    await loadBackend(request);
    return { name: request, reason: "It was asked for.", tried: [] };
  }
  const tried: RejectedBackend[] = [];
  for (const name of preferredBackends) {
    try {
      await loadBackend(name);
      return { name, reason: `It is the first that works here of ${preferredBackends.join(", ")}.`, tried };
    } catch (error) {
      // The last one has nothing to fall back to.
      if (!isCkptError(error, "BACKEND_UNAVAILABLE") || name === preferredBackends.at(-1)) {
        throw error;
      }
      tried.push({ name, reason: error.details.reason });
    }
  }
  throw new TypeError("no backend to try");
}
