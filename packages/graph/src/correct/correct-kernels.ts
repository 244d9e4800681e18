import { tf } from "#tfjs";

import { batchNormCorrection } from "./batch-norm.js";
import type { Correction, KernelInputs } from "./correction.js";
import { gatherCorrection } from "./gather.js";
import { oneHotCorrection } from "./one-hot.js";
import { windowCorrections } from "./window.js";

/** What is known to be wrong in TensorFlow.js 4.22, as far as an inference gets to it. */
export const corrections: readonly Correction[] = [
  batchNormCorrection,
  gatherCorrection,
  oneHotCorrection,
  ...windowCorrections,
];

/**
 * Runs `compute` with TensorFlow.js operations that give right results in place of the kernels of the current backend
 * that are known to give wrong ones. `onCorrected` gets what is wrong, at each call of such a kernel. The engine is as
 * before afterwards.
 */
export function correctKernels<Result>(
  compute: () => Result,
  onCorrected: (reason: string) => void = () => {},
): Result {
  const engine = tf.engine();
  const own = Object.getOwnPropertyDescriptor(engine, "runKernel");
  const runKernel = engine.runKernel.bind(engine);
  type Run = typeof runKernel;
  const corrected = (kernel: string, inputs: Parameters<Run>[1], attributes?: Parameters<Run>[2]): unknown => {
    const named = inputs as unknown as KernelInputs;
    const backend = tf.getBackend();
    const correction = corrections.find(
      ({ kernels, backends, isWrong }) =>
        kernels.includes(kernel) && backends.includes(backend) && isWrong(named, attributes ?? {}),
    );
    if (correction === undefined) return runKernel(kernel, inputs, attributes);
    onCorrected(correction.reason);
    return tf.tidy(() => correction.compute(named, attributes ?? {}, kernel));
  };
  Object.defineProperty(engine, "runKernel", { configurable: true, writable: true, value: corrected });
  try {
    return compute();
  } finally {
    if (own === undefined) Reflect.deleteProperty(engine, "runKernel");
    else Object.defineProperty(engine, "runKernel", own);
  }
}
