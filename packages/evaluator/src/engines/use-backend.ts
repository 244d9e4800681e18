import type { Tfjs } from "./tfjs-tensors.js";

/**
 * Makes a backend of TensorFlow.js the current one in a thread or process of its own, where nothing else prints. `cpu`
 * comes with TensorFlow.js; the package of another one, `@tensorflow/tfjs-backend-<name>`, registers it, and is found where
 * it is installed beside this package.
 *
 * @throws what importing the package or starting the backend throws.
 */
export async function useBackend(tf: Tfjs, backend: string): Promise<void> {
  // The flag that its logger looks at: it warns of a backend that does not start, and at the first tensor on `cpu` it
  // prints a banner that tells to install tfjs-node.
  tf.env().set("IS_TEST", true);
  if (backend !== "cpu") await import(`@tensorflow/tfjs-backend-${backend}`);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js does not start the backend ${backend}`);
}
