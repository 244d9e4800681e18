import type * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { decodeSavedWeights } from "./saved-weights.js";

describe("decodeSavedWeights", () => {
  it("reads weights at any address", () => {
    const bytes = new Uint8Array(11);
    bytes.set([1, 0, 1]);
    new DataView(bytes.buffer).setFloat32(3, 1.5, true);
    new DataView(bytes.buffer).setInt32(7, -7, true);
    const weights = decodeSavedWeights(
      bytes,
      [
        { name: "flags", dtype: "bool", shape: [3] },
        { name: "scale", dtype: "float32", shape: [] },
        { name: "count", dtype: "int32", shape: [1] },
      ],
      "model.json",
    );

    expect(weights.get("flags")?.values).toEqual(new Uint8Array([1, 0, 1]));
    expect(weights.get("scale")?.values).toEqual(new Float32Array([1.5]));
    expect(weights.get("count")?.values).toEqual(new Int32Array([-7]));
  });

  it("expands quantized weights, and finds what stands behind them", () => {
    const bytes = new Uint8Array(6);
    bytes.set([0, 255]);
    new DataView(bytes.buffer).setFloat32(2, 3, true);
    const weights = decodeSavedWeights(
      bytes,
      [
        { name: "kernel", dtype: "float32", shape: [2], quantization: { dtype: "uint8", min: -1, scale: 2 / 255 } },
        { name: "bias", dtype: "float32", shape: [1] },
      ],
      "model.json",
    );

    expect(weights.get("kernel")?.values).toEqual(new Float32Array([-1, 1]));
    expect(weights.get("bias")?.values).toEqual(new Float32Array([3]));
  });

  it("leaves out optimizer weights and still counts their bytes", () => {
    const specs: tf.io.WeightsManifestEntry[] = [
      { name: "kernel", dtype: "float32", shape: [1] },
      { name: "kernel/m", dtype: "float32", shape: [1], group: "optimizer" },
    ];
    expect([...decodeSavedWeights(new Uint8Array(8), specs, "model.json").keys()]).toEqual(["kernel"]);
    expect(() => decodeSavedWeights(new Uint8Array(4), specs, "model.json")).toThrow(/need 8 bytes, its shards have 4/);
  });

  it("refuses string weights", () => {
    const specs: tf.io.WeightsManifestEntry[] = [{ name: "vocabulary", dtype: "string", shape: [1] }];
    expect(() => decodeSavedWeights(new Uint8Array(4), specs, "model.json")).toThrow(/weight vocabulary: dtype string/);
  });
});
