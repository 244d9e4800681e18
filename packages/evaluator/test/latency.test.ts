import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readLatencies, writeLatencies } from "../src/latency-file.js";
import { measureLatency } from "../src/measure-latency.js";
import { makeArtifact } from "./make-artifact.js";
import { makeFolder } from "./make-folder.js";
import { makeClassSplit, makeSplit } from "./make-split.js";

describe("measureLatency", () => {
  it("measures once for each architecture, in processes of their own", async () => {
    const folder = await makeFolder();
    const artifacts = [
      await makeArtifact(folder, "a", 1),
      await makeArtifact(folder, "onnx-only", 1, { formats: ["onnx"] }),
      await makeArtifact(folder, "b", 2),
    ];
    const measured = await measureLatency({ artifacts, split: makeClassSplit(10), runs: 100 });
    expect(measured.map((measurement) => measurement.artifacts)).toEqual([["a", "b"], ["onnx-only"]]);
    for (const { engine, p50Ms, p95Ms, p99Ms, loadMs, sizeBytes, peakRssBytes } of measured) {
      expect(engine).toEqual({ name: "onnxruntime-node", version: "1.30.0" });
      expect(p50Ms).toBeGreaterThan(0);
      expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
      expect(p99Ms).toBeGreaterThanOrEqual(p95Ms);
      expect(loadMs).toBeGreaterThan(0);
      // Node alone has 30 MB.
      expect(peakRssBytes).toBeGreaterThan(30e6);
      expect(sizeBytes).toBeGreaterThan(300);
      expect(sizeBytes).toBeLessThan(10_000);
    }
  });

  it("measures TensorFlow.js on the backend that is the current one", async () => {
    const folder = await makeFolder();
    const artifacts = [await makeArtifact(folder, "a", 1, { formats: ["graph-model"] })];
    const [measured] = await measureLatency({ artifacts, split: makeClassSplit(10), runs: 100 });
    expect(measured?.engine).toEqual({ name: "tfjs", version: "4.22.0+cpu" });
    expect(measured?.p50Ms).toBeGreaterThan(0);
  });

  it("fails with the engine's reason, and refuses what does not fit", async () => {
    const folder = await makeFolder();
    const split = makeClassSplit(10);
    const broken = await makeArtifact(folder, "broken", 1, { onnx: Buffer.from("not a model") });
    await expect(measureLatency({ artifacts: [broken], split })).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      details: { artifact: broken, reason: expect.stringContaining("Protobuf") as string },
    });
    const artifacts = [await makeArtifact(folder, "a", 1)];
    await expect(measureLatency({ artifacts, split, runs: 10 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
    const wide = makeSplit(new Float32Array(50), 5, new Int32Array(10));
    await expect(measureLatency({ artifacts, split: wide })).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  });

  it("is kept beside the evaluations", async () => {
    const evaluations = join(await makeFolder(), "e");
    expect(await readLatencies(evaluations)).toEqual([]);
    const measurement = {
      architecture: "0".repeat(64),
      engine: { name: "tfjs", version: "1" },
      artifacts: ["a"],
      p50Ms: 1,
      p95Ms: 2,
      p99Ms: 3,
      loadMs: 4,
      sizeBytes: 5,
      peakRssBytes: 6,
    } as const;
    await writeLatencies(evaluations, [measurement]);
    await writeLatencies(evaluations, [measurement]);
    expect(await readLatencies(evaluations)).toEqual([measurement]);
  });
});
