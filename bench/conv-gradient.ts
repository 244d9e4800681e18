import os from "node:os";
import process from "node:process";

import { type BackendName, selectBackend } from "@ckpt/backend";
import * as tf from "@tensorflow/tfjs";

// The filter gradient of 2D convolutions, alone and in one training step of a small CNN, on the backends cpu and wasm.
// Run: node --conditions=@ckpt/source --import tsx bench/conv-gradient.ts [repeats]

const batchSize = 64;
const repeats = Number(process.argv[2] ?? 5);

interface Row {
  readonly name: string;
  readonly cpuMs: number;
  readonly wasmMs: number;
}

/** Median wall time of `action` in milliseconds, after one run that is not counted. */
async function measureMedianMs(action: () => unknown): Promise<number> {
  const timesMs: number[] = [];
  for (let run = -1; run < repeats; run += 1) {
    const startMs = performance.now();
    await action();
    if (run >= 0) {
      timesMs.push(performance.now() - startMs);
    }
  }
  return timesMs.toSorted((a, b) => a - b)[Math.floor(repeats / 2)] ?? Number.NaN;
}

async function compareBackends(name: string, prepare: () => () => unknown): Promise<Row> {
  const measureOn = async (backend: BackendName): Promise<number> => {
    await selectBackend(backend);
    return measureMedianMs(prepare());
  };
  return { name, cpuMs: await measureOn("cpu"), wasmMs: await measureOn("wasm") };
}

/** x `[batch, size, size, inChannels]`, a square filter. */
function prepareFilterGradient(
  size: number,
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  strides: number,
  pad: "same" | "valid",
): () => void {
  const filterShape: [number, number, number, number] = [kernelSize, kernelSize, inChannels, outChannels];
  const x = tf.randomNormal<tf.Rank.R4>([batchSize, size, size, inChannels]);
  const dy = tf.tidy(() => tf.conv2d(x, tf.randomNormal<tf.Rank.R4>(filterShape), strides, pad));
  const attrs = { strides, pad, dataFormat: "NHWC", filterShape };
  return () => tf.dispose(tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, attrs));
}

/** 28x28x1, conv 16 3x3, max pooling, conv 32 3x3, dense 10, Adam: one `trainOnBatch`. */
function prepareTrainingStep(): () => Promise<unknown> {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 3, activation: "relu" }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 10, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(), loss: "sparseCategoricalCrossentropy" });
  const x = tf.randomNormal([batchSize, 28, 28, 1]);
  const y = tf.tensor1d(Array.from({ length: batchSize }, (_, index) => index % 10));
  return () => model.trainOnBatch(x, y);
}

const rows: readonly Row[] = [
  await compareBackends("dW 28x28x1, 3x3x16, valid", () => prepareFilterGradient(28, 1, 16, 3, 1, "valid")),
  await compareBackends("dW 13x13x16, 3x3x32, valid", () => prepareFilterGradient(13, 16, 32, 3, 1, "valid")),
  await compareBackends("dW 14x14x16, 3x3x32, same", () => prepareFilterGradient(14, 16, 32, 3, 1, "same")),
  await compareBackends("dW 32x32x3, 5x5x32, same, stride 2", () => prepareFilterGradient(32, 3, 32, 5, 2, "same")),
  await compareBackends("small CNN, one training step", prepareTrainingStep),
];

console.log(
  `batch ${batchSize}, median of ${repeats}, Node ${process.version}, ${os.cpus()[0]?.model ?? "unknown CPU"}`,
);
console.log(`${"".padEnd(36)}${"cpu ms".padStart(10)}${"wasm ms".padStart(10)}${"ratio".padStart(8)}`);
for (const { name, cpuMs, wasmMs } of rows) {
  const ratio = (cpuMs / wasmMs).toFixed(1);
  console.log(
    `${name.padEnd(36)}${cpuMs.toFixed(1).padStart(10)}${wasmMs.toFixed(1).padStart(10)}${ratio.padStart(8)}`,
  );
}
