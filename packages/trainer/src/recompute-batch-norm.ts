import type { Split } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { createInputConverter } from "./batch-tensors.js";
import { createPermutation, createRandom } from "./random.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import { createSeededRandom } from "./seeded-random.js";

/** On what, and how, batch-norm statistics are computed. */
export interface RecomputeBatchNormOptions {
  /** Usually the one the model was trained on. */
  readonly split: Split;
  /** Rows of one forward pass; the training's own, since the variance of a batch depends on it. */
  readonly batchSize: number;
  /** Decides which rows form a batch, dropout, and what else is random in training mode. */
  readonly seed: number;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
}

/**
 * Replaces the moving means and variances of all BatchNormalization layers of a model, nested models included, by the
 * mean over the batches of a split of what each layer sees in training mode; nothing else of the model changes. A layer
 * that is applied several times in a batch counts each time. Batches are of equal size, of rows in random order: an
 * incomplete last one is left out, unless it is the only one. While it runs, `Math.random` is replaced.
 *
 * @returns The number of such layers; where it is 0, nothing was computed.
 * @throws {CkptError} SIGNATURE_MISMATCH when split and model do not fit; INVALID_OPTION.
 */
export async function recomputeBatchNorm(
  model: tf.LayersModel,
  { split, batchSize, seed, signal }: RecomputeBatchNormOptions,
): Promise<number> {
  requirePositiveInteger("batchSize", batchSize);
  const convert = createInputConverter(model, split);
  const layers = findBatchNorms(model);
  if (layers.length === 0) return 0;
  const restore = layers.map(startCumulativeMean);
  try {
    // As in training: batches of rows as they stand in a sorted file would have too little variance each.
    const order = createPermutation(split.rowCount, createRandom(seed, "batch-norm"));
    await createSeededRandom(seed).run(async () => {
      const lastStart = Math.max(0, split.rowCount - batchSize);
      for (let start = 0; start <= lastStart; start += batchSize) {
        signal?.throwIfAborted();
        const inputs = convert(await split.gather(order.subarray(start, start + batchSize)));
        const outputs = model.apply(inputs, { training: true }) as tf.Tensor | tf.Tensor[];
        tf.dispose([inputs, outputs]);
      }
    });
  } finally {
    for (const end of restore) end();
  }
  return layers.length;
}

/** Whether a model, or one nested in it, has a BatchNormalization layer. */
export function hasBatchNorm(model: tf.LayersModel): boolean {
  return findBatchNorms(model).length > 0;
}

/** The fields of a BatchNormalization that its type declarations hide. */
interface BatchNorm {
  momentum: number;
  readonly movingMean: tf.LayerVariable;
  readonly movingVariance: tf.LayerVariable;
  call: tf.layers.Layer["call"];
}

/** Each once, though it may be part of the model in several places. */
function findBatchNorms(model: tf.LayersModel): readonly BatchNorm[] {
  const found = new Set<tf.layers.Layer>();
  const visit = (layer: tf.layers.Layer): void => {
    if (layer.getClassName() === "BatchNormalization") found.add(layer);
    // A nested model has layers, a wrapper such as TimeDistributed has one.
    const { layers = [], layer: wrapped } = layer as unknown as {
      readonly layers?: readonly tf.layers.Layer[];
      readonly layer?: tf.layers.Layer;
    };
    layers.forEach(visit);
    if (wrapped !== undefined) visit(wrapped);
  };
  visit(model);
  return [...found] as unknown as readonly BatchNorm[];
}

/**
 * Makes a layer's moving averages cumulative from here on: from zero, with momentum i / (i + 1) at application i, as
 * `torch.optim.swa_utils.update_bn` does with `momentum=None`. Returns what puts the layer's own momentum back.
 */
function startCumulativeMean(layer: BatchNorm): () => void {
  const { momentum } = layer;
  const own = Object.getOwnPropertyDescriptor(layer, "call");
  const { call } = layer;
  let count = 0;
  for (const variable of [layer.movingMean, layer.movingVariance]) {
    tf.tidy(() => void variable.write(tf.zeros(variable.shape as number[])));
  }
  layer.call = (inputs, kwargs) => {
    layer.momentum = count / (count + 1);
    count++;
    return call.call(layer, inputs, kwargs);
  };
  return () => {
    layer.momentum = momentum;
    if (own === undefined) Reflect.deleteProperty(layer, "call");
    else Object.defineProperty(layer, "call", own);
  };
}
