import type { Batch, Signature, TensorSpec } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { makeClassSplit } from "../test/make-split.js";
import { matchInputs } from "./match-inputs.js";

const spec = (
  name: string,
  shape: TensorSpec["shape"] = [null, 4],
  dtype: TensorSpec["dtype"] = "float32",
): TensorSpec => ({
  name,
  dtype,
  shape,
});
const signature = (...inputs: readonly TensorSpec[]): Signature => ({ inputs, outputs: [spec("y")] });
const split = (...inputs: readonly TensorSpec[]): ReturnType<typeof makeClassSplit> => makeClassSplit(1, { inputs });

describe("matchInputs", () => {
  it("matches by name, whatever the order", () => {
    const bind = matchInputs("a", signature(spec("left"), spec("right")), split(spec("right"), spec("left")));
    const left = { data: Float32Array.of(1), shape: [1, 1] };
    const right = { data: Float32Array.of(2), shape: [1, 1] };
    const batch: Batch = { rowCount: 1, inputs: { right, left }, labels: left };
    expect(bind(batch)).toEqual({ left, right });
  });

  it("matches a single input by position", () => {
    const bind = matchInputs("a", signature(spec("x")), split(spec("features")));
    const features = { data: Float32Array.of(1), shape: [1, 1] };
    expect(bind({ rowCount: 1, inputs: { features }, labels: features })).toEqual({ x: features });
  });

  it("lets a free dimension be any size", () => {
    expect(() => matchInputs("a", signature(spec("x", [null, null])), split(spec("x", [null, 9])))).not.toThrow();
  });

  it.each([
    ["another name among several", signature(spec("x"), spec("y")), split(spec("x"), spec("z")), "inputs x, y"],
    ["an input too many", signature(spec("x")), split(spec("x"), spec("z")), "inputs x"],
    ["an input too few", signature(spec("x"), spec("y")), split(spec("x")), "inputs x, y"],
    ["another width", signature(spec("x")), split(spec("x", [null, 5])), "float32 [?, 4]"],
    ["another rank", signature(spec("x")), split(spec("x", [null, 2, 2])), "float32 [?, 4]"],
    ["another dtype", signature(spec("x")), split(spec("x", [null, 4], "int32")), "float32 [?, 4]"],
    [
      "a fixed number of rows",
      signature(spec("x", [1, 4])),
      split(spec("x")),
      "float32 [1, 4] with a first dimension that is free, for the rows",
    ],
  ])("refuses %s", (_name, expectedSignature, foundSplit, expected) => {
    expect(() => matchInputs("a", expectedSignature, foundSplit)).toThrow(
      expect.objectContaining({ code: "SIGNATURE_MISMATCH", details: expect.objectContaining({ expected }) as object }),
    );
  });

  it("refuses strings", () => {
    expect(() => matchInputs("a", signature(spec("x", [null], "string")), split(spec("x", [null], "string")))).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_DTYPE" }),
    );
  });
});
