import { setImmediate } from "node:timers/promises";

import { type Batch, CkptError, type Split, type TensorData, type TensorSpec } from "@ckpt/manifest";

import type { Session } from "./engine.js";
import type { InputBinding } from "./match-inputs.js";
import { countValues, describeTask } from "./task.js";

/** All rows of a split with what an artifact made of them. */
export interface ScoredSplit {
  readonly output: TensorSpec;
  readonly predictions: Float32Array;
  readonly labelSpec: TensorSpec;
  readonly labels: Int32Array | Float32Array;
}

/** What to run on what, and how. */
export interface PredictRowsOptions {
  /** Named in errors. */
  readonly where: string;
  readonly session: Session;
  readonly output: TensorSpec;
  readonly split: Split;
  readonly bind: InputBinding;
  /** Rows per inference. */
  readonly batchSize: number;
  readonly onBatch: (rowsDone: number) => void;
}

/**
 * Runs all rows of a split through a session, in order.
 *
 * @throws {CkptError} SIGNATURE_MISMATCH when the output does not fit the labels or the rows, and what the session throws.
 */
export async function predictRows(options: PredictRowsOptions): Promise<ScoredSplit> {
  const { where, session, output, split, bind, batchSize, onBatch } = options;
  let scored: ScoredSplit | undefined;
  for (let start = 0; start < split.rowCount; start += batchSize) {
    const batch = await split.read(start, Math.min(start + batchSize, split.rowCount));
    const predicted = (await session.predict(bind(batch)))[output.name];
    if (predicted === undefined) throw new TypeError(`the engine gave no output ${output.name}`);
    scored ??= allocateRows(where, output, predicted, batch, split);
    copyRows(where, scored.output, scored.predictions, predicted, start, batch.rowCount);
    copyRows(where, scored.labelSpec, scored.labels, batch.labels, start, batch.rowCount);
    onBatch(start + batch.rowCount);
    // An engine in this thread would otherwise keep timers and signals waiting until the last batch.
    await setImmediate();
  }
  if (scored === undefined) throw new TypeError("a split without rows");
  return scored;
}

/** Makes room for all rows once the first batch has told the shape of a row. */
function allocateRows(
  where: string,
  output: TensorSpec,
  predicted: TensorData,
  batch: Batch,
  split: Split,
): ScoredSplit {
  const spec: TensorSpec = { ...output, shape: [split.rowCount, ...predicted.shape.slice(1)] };
  const isClasses = batch.labels.data instanceof Int32Array;
  const labelSpec: TensorSpec = {
    name: "labels",
    dtype: isClasses ? "int32" : "float32",
    shape: [split.rowCount, ...batch.labels.shape.slice(1)],
  };
  describeTask(where, spec, labelSpec, split.classes);
  const labelCount = split.rowCount * countValues(labelSpec);
  return {
    output: spec,
    predictions: new Float32Array(split.rowCount * countValues(spec)),
    labelSpec,
    labels: isClasses ? new Int32Array(labelCount) : new Float32Array(labelCount),
  };
}

function copyRows(
  where: string,
  spec: TensorSpec,
  target: Int32Array | Float32Array,
  rows: TensorData,
  start: number,
  rowCount: number,
): void {
  const width = countValues(spec);
  if (rows.shape[0] !== rowCount || rows.data.length !== rowCount * width) {
    throw new CkptError("SIGNATURE_MISMATCH", {
      where: `${where}: ${spec.name}, rows from ${start}`,
      expected: `[${[rowCount, ...spec.shape.slice(1)].join(", ")}]`,
      found: `[${rows.shape.join(", ")}]`,
    });
  }
  target.set(rows.data, start * width);
}
