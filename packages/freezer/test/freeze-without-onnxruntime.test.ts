import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { expect, it, vi } from "vitest";

import { freeze, type FreezeProgress } from "../src/index.js";
import { createTemporaryFolder, describeFolder, writeCheckpoint } from "./folders.js";
import { createDenseModel } from "./models.js";

// What Node does where the optional peer is not installed.
vi.mock("onnxruntime-node", () => {
  throw new Error("Cannot find package 'onnxruntime-node'");
});

it("writes ONNX and says that it was not compared, where onnxruntime-node is not installed", async () => {
  await tf.setBackend("cpu");
  const folder = await createTemporaryFolder();
  const source = await writeCheckpoint(join(folder, "checkpoint"), createDenseModel(), 1);
  const out = join(folder, "artifact");
  const progress: FreezeProgress[] = [];

  const { manifest, unverified } = await freeze({ source, out, onProgress: (each) => progress.push(each) });
  expect(Object.keys(await describeFolder(out))).toContain("model.onnx");
  expect(manifest.parity.map(({ format }) => format)).toEqual(["graph-model", "graph-def", "saved-model"]);
  expect(unverified).toEqual([{ format: "onnx", reason: expect.stringContaining("onnxruntime-node") }]);
  expect(progress).toContainEqual({ kind: "unverified", source, ...unverified[0] });

  const again = await freeze({ source, out });
  expect(again.isReused).toBe(true);
  expect(again.unverified).toMatchObject([{ format: "onnx" }]);
});
