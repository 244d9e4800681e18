import { setImmediate } from "node:timers/promises";

import { type Batch, CkptError, type Split, type TensorData, type TensorSpec } from "@ckpt/manifest";

import type { BatchSizer } from "./batch-size.js";
import type { Session } from "./engine.js";
import { isThreadLost } from "./engines/failure.js";
import type { InputBinding } from "./match-inputs.js";
import { countValues, describeLabels, describeTask } from "./task.js";

/** Consecutive rows with what an artifact made of them. */
export interface ShardRows {
  readonly rowCount: number;
  /** First dimension `null`. */
  readonly output: TensorSpec;
  readonly predictions: Float32Array;
  /** First dimension `null`. */
  readonly labelSpec: TensorSpec;
  readonly labels: Int32Array | Float32Array;
}

/** What to run on which rows. */
export interface ShardOptions {
  /** Named in errors. */
  readonly where: string;
  readonly output: TensorSpec;
  readonly split: Pick<Split, "rowCount" | "classes" | "read">;
  readonly bind: InputBinding;
  /** The shard's first row, and the one after its last. */
  readonly start: number;
  readonly end: number;
  readonly sizer: BatchSizer;
  /** Called when more rows are done; what it throws ends the scoring. */
  readonly onRows: (rowCount: number) => void;
}

/** The rows of a shard while sessions share them. */
export interface ShardScore {
  /**
   * Runs batches until no row is left that nobody runs. Rows of a lost session are given back, for another one.
   *
   * @throws {CkptError} SIGNATURE_MISMATCH when the output does not fit the labels or the rows; and what reading,
   *   predicting or `onRows` throws: the same in every session that takes part.
   */
  readonly run: (session: Session) => Promise<void>;
  /** Batches nobody has begun, about; none while the batch size is measured. */
  countWaiting(): number;
  /** Waits until all rows are done, rows were given back, or scoring has failed. */
  change(): Promise<void>;
  /** All rows once they are done. */
  finished(): ShardRows | undefined;
}

/** Batches of a session at once: while the one is read or stored, the other one runs. */
const lanes = 2;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Prepares a shard for {@link ShardScore.run}. */
export function createShardScore(options: ShardOptions): ShardScore {
  const { where, output, split, bind, start, end, sizer, onRows } = options;
  const givenBack: Range[] = [];
  let waiting: (() => void)[] = [];
  let next = start;
  let doneCount = 0;
  let rows: ShardRows | undefined;
  let failure: { readonly error: unknown } | undefined;

  const wake = (): void => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const take = (): Range | undefined => {
    if (failure !== undefined) return undefined;
    const range = givenBack.pop();
    if (range !== undefined || next >= end) return range;
    const first = next;
    next = Math.min(next + sizer.rows, end);
    return { start: first, end: next };
  };
  const runRange = async (session: Session, range: Range): Promise<void> => {
    const batch = await split.read(range.start, range.end);
    const isMeasured = !sizer.isSettled && batch.rowCount === sizer.rows;
    const startMs = performance.now();
    const predicted = (await session.predict(bind(batch)))[output.name];
    if (isMeasured) sizer.record(performance.now() - startMs);
    if (predicted === undefined) throw new TypeError(`the engine gave no output ${output.name}`);
    rows ??= allocateRows(where, output, predicted, batch, split, end - start);
    copyRows(where, rows.output, rows.predictions, predicted, range, start);
    copyRows(where, rows.labelSpec, rows.labels, batch.labels, range, start);
    doneCount += batch.rowCount;
    onRows(batch.rowCount);
  };

  /** Runs one batch after the other. */
  const runLane = async (session: Session, isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      const range = take();
      if (range === undefined) return;
      try {
        await runRange(session, range);
      } catch (error) {
        if (isThreadLost(error)) givenBack.push(range);
        else failure ??= { error };
        return wake();
      }
      if (doneCount === end - start) wake();
      // An engine in this thread would otherwise keep timers and signals waiting until the last batch.
      await setImmediate();
    }
  };

  return {
    run: async (session) => {
      // While the size is measured, nothing may run beside a batch.
      if (!sizer.isSettled) await runLane(session, () => sizer.isSettled);
      await Promise.all(Array.from({ length: lanes }, () => runLane(session, () => false)));
      if (failure !== undefined) throw failure.error;
    },
    countWaiting: () => (sizer.isSettled ? givenBack.length + Math.ceil((end - next) / sizer.rows) : 0),
    change: async () => {
      if (failure !== undefined || givenBack.length > 0 || doneCount === end - start) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    finished: () => (doneCount === end - start ? rows : undefined),
  };
}

/** Makes room for all rows once the first batch has told the shape of a row. */
function allocateRows(
  where: string,
  output: TensorSpec,
  predicted: TensorData,
  batch: Batch,
  split: ShardOptions["split"],
  rowCount: number,
): ShardRows {
  const spec: TensorSpec = { ...output, shape: [null, ...predicted.shape.slice(1)] };
  const labelSpec = describeLabels(batch.labels);
  describeTask(where, { ...spec, shape: [split.rowCount, ...spec.shape.slice(1)] }, labelSpec, split.classes);
  const labelCount = rowCount * countValues(labelSpec);
  return {
    rowCount,
    output: spec,
    predictions: new Float32Array(rowCount * countValues(spec)),
    labelSpec,
    labels: labelSpec.dtype === "int32" ? new Int32Array(labelCount) : new Float32Array(labelCount),
  };
}

function copyRows(
  where: string,
  spec: TensorSpec,
  target: Int32Array | Float32Array,
  rows: TensorData,
  range: Range,
  firstRow: number,
): void {
  const width = countValues(spec);
  const rowCount = range.end - range.start;
  if (rows.shape[0] !== rowCount || rows.data.length !== rowCount * width) {
    throw new CkptError("SIGNATURE_MISMATCH", {
      where: `${where}: ${spec.name}, rows from ${range.start}`,
      expected: `[${[rowCount, ...spec.shape.slice(1)].join(", ")}]`,
      found: `[${rows.shape.join(", ")}]`,
    });
  }
  target.set(rows.data, (range.start - firstRow) * width);
}
