import { tf } from "#tfjs";

import type { BackendName } from "./backend-name.js";

/** Runs `action` with tfjs' own console warnings off; they repeat what our errors and `tried` say better. */
async function withoutWarnings<T>(action: () => Promise<T>): Promise<T> {
  const flags = tf.env();
  const wasTest = flags.getBool("IS_TEST");
  // The flag that tfjs' logger looks at. Its other one, PROD, would turn checks of values off for good.
  flags.set("IS_TEST", true);
  try {
    return await action();
  } finally {
    flags.set("IS_TEST", wasTest);
  }
}

/** Makes a backend current that was current before; does nothing if there was none. */
export async function restoreBackend(name: string | undefined): Promise<void> {
  if (name !== undefined) {
    await withoutWarnings(() => tf.setBackend(name));
  }
}

/**
 * Initialises a registered backend and makes it the current one. Tells whether it could be initialised; if not, the
 * backend that was current stays current.
 */
export async function activateBackend(name: BackendName): Promise<boolean> {
  const previous: string | undefined = tf.getBackend();
  return withoutWarnings(async () => {
    if (!(await tf.setBackend(name))) {
      await restoreBackend(previous);
      return false;
    }
    // The first tensor on the cpu backend in Node prints a banner that tells to install tfjs-node: use it up here.
    tf.scalar(0).dispose();
    return true;
  });
}
