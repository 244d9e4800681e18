import { describe, expect, it } from "vitest";

import type { ErrorCode, ErrorDetails } from "./error-details.js";
import { CkptError, isCkptError } from "./errors.js";

const path = "runs/a";
const issues = [
  { path: "files.0.path", message: "expected a path" },
  { path: "", message: "expected an object" },
];

/** Details of every code. A new code does not compile until it has its line here. */
const samples: { readonly [C in ErrorCode]: ErrorDetails[C] } = {
  INVALID_OPTION: { option: "--top", expected: "a number from 1", found: "0" },
  OUTPUTS_NOT_NAMED: { path: "save/-mlp3-20000", candidates: [{ name: "probs", op: "Softmax" }] },
  CONFIG_INVALID: { path, issues },
  CONFIG_NOT_FOUND: { path },
  RUN_NOT_FOUND: { path },
  RUN_EXISTS: { path, reason: "of another configuration", remedy: "Name another folder." },
  RUN_LOCKED: { path, pid: 4711, host: "trainer-1" },
  CHECKPOINT_NOT_FOUND: { path, skipped: ["step-00000120", "step-00000240"] },
  ARTIFACT_NOT_FOUND: { path },
  EVALUATION_NOT_FOUND: { path, expected: "evaluations/0a1b" },
  TARGET_EXISTS: { path },
  MANIFEST_INVALID: { path, issues },
  MANIFEST_MISSING: { path },
  SCHEMA_TOO_NEW: { path, found: 7, supported: 5 },
  FILE_MISSING: { path },
  SIZE_MISMATCH: { path, expectedBytes: 1234, foundBytes: 1233 },
  DIGEST_MISMATCH: { path, expected: "0a1b", found: "2c3d" },
  UNSAFE_PATH: { path, named: "../x" },
  LINK_MISMATCH: { path, expected: "artifacts/a", found: "ENOENT" },
  FILE_SYSTEM: { path, operation: "rename", reason: "ENOSPC: no space" },
  DATA_UNREADABLE: { file: "a.csv", reason: "not a CSV file" },
  DATA_COLUMN_NOT_FOUND: { file: "a.csv", column: "label", available: ["p0", "p1"] },
  DATA_CELL_INVALID: { file: "a.csv", row: 17, column: "p3", expected: "a number", found: "x" },
  DATA_ROW_RAGGED: { file: "a.csv", line: 18, expectedColumns: 65, foundColumns: 64 },
  DATA_SPLIT_EMPTY: { files: ["a.csv"], split: "select", rowCount: 3, fractions: "0.8, 0.1" },
  DATA_ROWS_SHARED: { splits: ["test", "train"], sharedRows: 40, rowCount: 50 },
  SPLIT_NOT_FOUND: { split: "dev", available: ["train", "test"] },
  BACKEND_UNAVAILABLE: { backend: "tensorflow", reason: "no binary", remedy: "Use wasm." },
  ENGINE_UNAVAILABLE: { engine: "onnx", package: "onnxruntime-node", reason: "not installed" },
  ENGINE_FAILED: { engine: "onnx", artifact: "step-00000120", reason: "out of memory" },
  METRIC_NOT_FOUND: { metric: "f2", available: ["accuracy", "logLoss"] },
  METRIC_NOT_FINITE: { metric: "loss", where: "step 120", found: Infinity },
  WEIGHTS_MISMATCH: { path, weight: "dense/kernel", expected: "[64, 32]", found: "[64, 16]" },
  MODEL_UNREADABLE: { path, reason: "no topology", remedy: "Save the model with its topology." },
  BUNDLE_INVALID: { path, reason: "the index is cut off" },
  UNSUPPORTED_OP: { format: "onnx", ops: [{ op: "FFT", reason: "no counterpart", layers: ["spectrum", "power"] }] },
  FORMAT_TOO_LARGE: { format: "GraphDef", sizeBytes: 3_000_000_000, limitBytes: 2_147_483_647 },
  UNSUPPORTED_DTYPE: { where: "input a", dtype: "complex64", supported: ["float32", "int32"] },
  UNSUPPORTED_SHAPE: { where: "input a", shape: [null, 3], reason: "an open dimension" },
  IMPURE_COMPUTATION: { layer: "dropout_1", reason: "it draws random numbers" },
  GRAPH_INVALID: { issues },
  SIGNATURE_MISMATCH: { where: "output", expected: "float32", found: "int32" },
  PARITY_FAILED: {
    artifact: "step-00000120",
    format: "onnx",
    engine: "onnxruntime-node",
    output: "y",
    maxAbsoluteError: 0.25,
    tolerance: 1e-5,
    layer: "encoder/dense_1",
    layerError: 0.125,
  },
};
const codes = Object.keys(samples) as readonly ErrorCode[];

/** All strings and numbers in the details, however deep. */
function leaves(value: unknown): readonly string[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leaves);
  return value === "" ? [] : [String(value)];
}

describe("CkptError", () => {
  it.each(codes)("%s says everything its details hold, and what to do", (code) => {
    const { message, remedy } = new CkptError(code, samples[code]);
    const text = `${message}\n${remedy}`;
    for (const leaf of leaves(samples[code])) expect(text).toContain(leaf);
    expect(text).not.toMatch(/undefined|\[object|NaN/);
    expect(remedy).not.toBe("");
  });

  it("carries its code, its details and its cause", () => {
    const cause = new Error("EIO");
    const error = new CkptError("FILE_SYSTEM", samples.FILE_SYSTEM, { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("CkptError");
    expect(error).toMatchObject({ code: "FILE_SYSTEM", details: samples.FILE_SYSTEM, cause });
    expect(Object.keys(error)).not.toContain("name");
    expect(error.stack).toContain("errors.test");
  });
});

describe("isCkptError", () => {
  it("tells codes apart", () => {
    const error: unknown = new CkptError("RUN_NOT_FOUND", { path });
    expect(isCkptError(error)).toBe(true);
    expect(isCkptError(error, "RUN_NOT_FOUND")).toBe(true);
    expect(isCkptError(error, "RUN_EXISTS")).toBe(false);
  });

  it("holds for an error of another copy of the package", () => {
    class Copy extends Error {
      override readonly name = "CkptError";
      readonly code = "RUN_NOT_FOUND";
    }
    expect(isCkptError(new Copy("x"), "RUN_NOT_FOUND")).toBe(true);
  });

  it.each([undefined, null, "CkptError", { name: "CkptError", code: "RUN_EXISTS" }, new Error("x")])(
    "does not hold for %j",
    (value) => {
      expect(isCkptError(value)).toBe(false);
    },
  );
});
