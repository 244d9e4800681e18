import type { TensorData } from "@ckpt/manifest";

/** How far an output is from what it should be, over all elements compared. */
export interface OutputError {
  /** Largest |found - expected|. */
  readonly maxAbsoluteError: number;
  /** Largest |found - expected| / max(|expected|, 1e-6). */
  readonly maxRelativeError: number;
  /** Largest finite |expected|. */
  readonly magnitude: number;
}

/** The error of outputs that nothing was compared with yet. */
export const noError: OutputError = { maxAbsoluteError: 0, maxRelativeError: 0, magnitude: 0 };

/**
 * Compares two tensors of equal size element by element. Equal infinities and two NaN are no error; a value that is
 * finite on one side only is an infinite one.
 */
export function compareOutputs(expected: TensorData["data"], found: TensorData["data"]): OutputError {
  let { maxAbsoluteError, maxRelativeError, magnitude } = noError;
  for (let at = 0; at < expected.length; at++) {
    const value = expected[at] ?? 0;
    if (Number.isFinite(value)) magnitude = Math.max(magnitude, Math.abs(value));
    if (Object.is(value, found[at])) continue;
    const difference = Math.abs((found[at] ?? Number.NaN) - value);
    const error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    maxAbsoluteError = Math.max(maxAbsoluteError, error);
    maxRelativeError = Math.max(maxRelativeError, error / Math.max(Math.abs(value), 1e-6));
  }
  return { maxAbsoluteError, maxRelativeError, magnitude };
}

/** The error over the elements of both comparisons. */
export function mergeErrors(first: OutputError, second: OutputError): OutputError {
  return {
    maxAbsoluteError: Math.max(first.maxAbsoluteError, second.maxAbsoluteError),
    maxRelativeError: Math.max(first.maxRelativeError, second.maxRelativeError),
    magnitude: Math.max(first.magnitude, second.magnitude),
  };
}
