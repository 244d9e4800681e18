import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";

import { measureFirstFreezes } from "./first-freeze.js";
import { median } from "./median.js";
import { printHeading, printMachine, printRatio, printSamples } from "./report.js";
import { saveModel } from "./save-model.js";
import { withTemporaryFolder } from "./temporary-folder.js";

// The freeze of a MobileNetV1 of 4.25 million parameters into all formats, verified, on the backend wasm: time from the
// start of the process, and memory above what was resident before.
// Run: npx pnpm@10.34.9 build, then npx pnpm@10.34.9 freeze-mobilenet [repeats]

const repeats = Number(process.argv[2] ?? 5);

/** Output channels and stride of each depthwise separable block. */
const blocks = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** Reference: https://arxiv.org/abs/1704.04861, table 1. */
function createMobileNet(): tf.LayersModel {
  const common = { kernelInitializer: "heNormal", padding: "same", useBias: false } as const;
  const normalize = (): tf.layers.Layer[] => [tf.layers.batchNormalization(), tf.layers.reLU({ maxValue: 6 })];
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ ...common, inputShape: [224, 224, 3], filters: 32, kernelSize: 3, strides: 2 }),
      ...normalize(),
      ...blocks.flatMap(([filters, strides]) => [
        tf.layers.depthwiseConv2d({ ...common, kernelSize: 3, strides, depthwiseInitializer: "heNormal" }),
        ...normalize(),
        tf.layers.conv2d({ ...common, filters, kernelSize: 1 }),
        ...normalize(),
      ]),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense({ units: 1000, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer: "sgd", loss: "categoricalCrossentropy" });
  return model;
}

async function measure(folder: string): Promise<void> {
  const model = createMobileNet();
  const weightBytes = model.countParams() * Float32Array.BYTES_PER_ELEMENT;
  const path = join(folder, "model");
  await saveModel(model, path);
  const freezes = measureFirstFreezes(path, repeats, "wasm");
  const parameters = `${(model.countParams() / 1e6).toFixed(2)} M parameters, ${(weightBytes / 1e6).toFixed(1)} MB`;
  printHeading(`MobileNetV1, ${parameters}, all formats, verified; median of ${repeats} processes`, "ms");
  const frozenMs = freezes.map((freeze) => freeze.frozenMs);
  printSamples("process start until frozen", frozenMs);
  printSamples(
    "  Node, packages and backend",
    freezes.map(({ importedMs }) => importedMs),
  );
  printSamples(
    "  freeze",
    freezes.map(({ importedMs, frozenMs }) => frozenMs - importedMs),
  );
  printSamples(
    "CPU time of the process",
    freezes.map(({ cpuMs }) => cpuMs),
  );
  const copies = freezes.map(({ peakBytes, baselineBytes }) => (peakBytes - baselineBytes) / weightBytes);
  printHeading("memory above what was resident before", "copies of the weights");
  printSamples("peak", copies);
  printRatio("process start until frozen, in seconds", median(frozenMs) / 1000, { atMost: 1.5 });
  printRatio("peak memory / weights", median(copies), { atMost: 4 });
}

await selectBackend("wasm");
printMachine();
await withTemporaryFolder(measure);
