import * as tf from "@tensorflow/tfjs";

import { ScaleLayer } from "./models.js";

/** What a worker of the tests is prepared by: it counts itself in shared memory, or fails where there is none. */
export async function setUpFreezeWorker(data: unknown): Promise<void> {
  if (!(data instanceof SharedArrayBuffer)) throw new Error("this module does not work");
  tf.serialization.registerClass(ScaleLayer);
  await tf.setBackend("cpu");
  Atomics.add(new Int32Array(data), 0, 1);
}
