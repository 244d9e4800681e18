import { CkptError } from "@ckpt/manifest";

import type { Slice } from "./metrics/slices.js";

/** How rows count, and which parts of them are looked at. */
export interface ScoringOptions {
  /** `[rows]`, finite and not negative, in the order of the split. Default: 1 each. */
  readonly weights?: Float64Array;
  /** `[rows]`: rows of one number belong together (a patient, a document) and are resampled together. */
  readonly groups?: Int32Array;
  readonly slices?: readonly Slice[];
  /** Rows a slice needs to be called the worst. Default: 30. */
  readonly minSliceRows?: number;
  /** Coverage of the intervals, between 0 and 1. Default: 0.95. */
  readonly confidence?: number;
}

/**
 * Checks weights and groups against the number of rows, and the confidence.
 *
 * @throws {CkptError} INVALID_OPTION
 */
export function checkScoring({ weights, groups, confidence = 0.95 }: ScoringOptions, rowCount: number): void {
  if (!(confidence > 0 && confidence < 1)) {
    const expected = "a number between 0 and 1";
    throw new CkptError("INVALID_OPTION", { option: "confidence", expected, found: String(confidence) });
  }
  for (const [option, values] of [
    ["weights", weights],
    ["groups", groups],
  ] as const) {
    if (values !== undefined && values.length !== rowCount) {
      throw new CkptError("INVALID_OPTION", {
        option,
        expected: `${rowCount} values, one a row`,
        found: String(values.length),
      });
    }
  }
  const bad = weights?.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight))) ?? -1;
  if (bad !== -1) {
    const found = `${weights?.[bad]} in row ${bad}`;
    throw new CkptError("INVALID_OPTION", { option: "weights", expected: "finite values from 0", found });
  }
  if (weights !== undefined && !weights.some((weight) => weight > 0)) {
    throw new CkptError("INVALID_OPTION", { option: "weights", expected: "one above 0", found: "none" });
  }
}
