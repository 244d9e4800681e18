import type { Metrics } from "@ckpt/manifest";

import { tf } from "#tfjs";

import type { Checkpointer } from "./checkpointer.js";

/** Data that `model.evaluate` or `model.evaluateDataset` takes. */
export type FitValidation =
  | {
      readonly x: tf.Tensor | tf.Tensor[];
      readonly y: tf.Tensor | tf.Tensor[];
      /** Default: 32, as in `model.evaluate`. */
      readonly batchSize?: number;
    }
  | Parameters<tf.LayersModel["evaluateDataset"]>[0];

/** What the callback measures during `model.fit`, and how often. */
export interface FitCallbackOptions {
  /** Measured by the callback itself every `measureEverySteps` updates, and reported as `val_loss`, `val_<metric>`. */
  readonly validation?: FitValidation;
  /** Default: at the end of each epoch only, where `model.fit` measures its own `validationData` too. */
  readonly measureEverySteps?: number;
}

/**
 * Makes a callback for `model.fit` and `model.fitDataset`. Each update becomes one step: an update is passed on when the
 * next one begins or the epoch ends, since only then it is known whether it was the epoch's last. The losses of single
 * batches are not measurements; at the end of an epoch, what `fit` reports for it is.
 */
export function createFitCallback(checkpointer: Checkpointer, options: FitCallbackOptions): tf.CustomCallback {
  const { validation, measureEverySteps } = options;
  let hasPendingStep = false;
  const passOn = async (epochMetrics?: Metrics): Promise<void> => {
    if (!hasPendingStep) return;
    hasPendingStep = false;
    const isEpochEnd = epochMetrics !== undefined;
    const isDue =
      isEpochEnd || (checkpointer.position.step + 1) % (measureEverySteps ?? Number.POSITIVE_INFINITY) === 0;
    const measured = validation !== undefined && isDue ? await evaluate(callback.model, validation) : {};
    await checkpointer.step({ ...epochMetrics, ...measured }, { isEpochEnd });
    if (checkpointer.stopping !== undefined) callback.model.stopTraining = true;
  };
  const callback = new ModelCallback({
    onBatchBegin: () => passOn(),
    onBatchEnd: async (batch) => {
      hasPendingStep = true;
      // TensorFlow.js reports an epoch's end after this batch even if it was not the last one.
      if (checkpointer.stopping !== undefined && !callback.isLastOfEpoch(batch)) await passOn();
    },
    onEpochEnd: (_epoch, logs) => passOn(toMetrics(logs)),
  });
  return callback;
}

/** A custom callback that remembers the model it was called for, which TensorFlow.js's own forgets. */
class ModelCallback extends tf.CustomCallback {
  #model: tf.LayersModel | undefined;

  override setModel(model: Parameters<tf.CustomCallback["setModel"]>[0]): void {
    this.#model = model as tf.LayersModel;
  }

  get model(): tf.LayersModel {
    if (this.#model === undefined) throw new TypeError("the callback was called outside model.fit");
    return this.#model;
  }

  /** False where it is not known: a dataset may not know its size. */
  isLastOfEpoch(batch: number): boolean {
    const { steps, samples, batchSize } = this.params as Readonly<Record<string, number | null | undefined>>;
    return batch + 1 === (steps ?? Math.ceil((samples ?? Number.NaN) / (batchSize ?? Number.NaN)));
  }
}

async function evaluate(model: tf.LayersModel, validation: FitValidation): Promise<Metrics> {
  const result =
    "x" in validation
      ? model.evaluate(validation.x, validation.y, { batchSize: validation.batchSize ?? 32 })
      : await model.evaluateDataset(validation, {});
  const scalars = Array.isArray(result) ? result : [result];
  const values = await Promise.all(scalars.map((scalar) => scalar.data()));
  tf.dispose(scalars);
  return Object.fromEntries(model.metricsNames.map((name, index) => [`val_${name}`, values[index]?.[0] ?? Number.NaN]));
}

function toMetrics(logs: tf.Logs | undefined): Metrics {
  return { ...logs };
}
