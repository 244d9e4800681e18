import { CkptError, type ErrorCode } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { exitCodeOf, exitCodeOfRanking, exitCodes } from "./exit-code.js";

/** Every code there is: a new one does not compile before it is decided here. */
const expected: Readonly<Record<ErrorCode, 2 | 3 | 4>> = {
  INVALID_OPTION: 2,
  OUTPUTS_NOT_NAMED: 2,
  CONFIG_INVALID: 2,
  CONFIG_NOT_FOUND: 2,
  RUN_EXISTS: 2,
  TARGET_EXISTS: 2,
  SPLIT_NOT_FOUND: 2,
  METRIC_NOT_FOUND: 2,

  RUN_NOT_FOUND: 3,
  CHECKPOINT_NOT_FOUND: 3,
  ARTIFACT_NOT_FOUND: 3,
  EVALUATION_NOT_FOUND: 3,
  MANIFEST_INVALID: 3,
  MANIFEST_MISSING: 3,
  SCHEMA_TOO_NEW: 3,
  FILE_MISSING: 3,
  SIZE_MISMATCH: 3,
  DIGEST_MISMATCH: 3,
  UNSAFE_PATH: 3,
  LINK_MISMATCH: 3,
  DATA_UNREADABLE: 3,
  DATA_COLUMN_NOT_FOUND: 3,
  DATA_CELL_INVALID: 3,
  DATA_ROW_RAGGED: 3,
  DATA_SPLIT_EMPTY: 3,
  DATA_ROWS_SHARED: 3,
  WEIGHTS_MISMATCH: 3,
  MODEL_UNREADABLE: 3,
  BUNDLE_INVALID: 3,
  UNSUPPORTED_OP: 3,
  FORMAT_TOO_LARGE: 3,
  UNSUPPORTED_DTYPE: 3,
  UNSUPPORTED_SHAPE: 3,
  IMPURE_COMPUTATION: 3,
  SIGNATURE_MISMATCH: 3,
  PARITY_FAILED: 3,

  FILE_SYSTEM: 4,
  RUN_LOCKED: 4,
  BACKEND_UNAVAILABLE: 4,
  ENGINE_UNAVAILABLE: 4,
  ENGINE_FAILED: 4,
  METRIC_NOT_FINITE: 4,
  GRAPH_INVALID: 4,
};

/** An error of any code; its details do not matter here. */
function createError(code: string): Error {
  return Object.defineProperty(Object.assign(new Error(code), { code }), "name", { value: CkptError.prototype.name });
}

describe("exitCodeOf", () => {
  it.each(Object.entries(expected))("%s ends with %i", (code, exitCode) => {
    expect(exitCodeOf(createError(code))).toBe(exitCode);
  });

  it("takes what is no CkptError for a failure of the run, whatever its code", () => {
    for (const error of [
      new TypeError("x"),
      "thrown text",
      undefined,
      Object.assign(new Error("x"), { code: "ENOENT" }),
    ]) {
      expect(exitCodeOf(error)).toBe(exitCodes.runtime);
    }
    expect(exitCodeOf(new CkptError("RUN_NOT_FOUND", { path: "x" }))).toBe(exitCodes.badInput);
  });
});

describe("exitCodeOfRanking", () => {
  it("is a failure where nothing could be ranked", () => {
    expect(exitCodeOfRanking({})).toBe(4);
    expect(exitCodeOfRanking({ pick: { id: "step-00000001", artifact: "", decidedBy: "accuracy" } })).toBe(0);
  });
});
