/** How many rows a batch has; while that is not known, who measures it. */
export interface BatchSizer {
  /** Rows of the next batch. */
  readonly rows: number;
  /** True once the size is chosen. */
  readonly isSettled: boolean;
  /** False while another one measures: batches beside it would falsify that. To be paired with {@link leave}. */
  enter(): boolean;
  /** Chooses the best size so far, if any was measured. */
  leave(): void;
  /** Counts one batch of {@link rows} rows that ran with nothing beside it. */
  record(durationMs: number): void;
}

const firstRows = 32;
const mostRows = 1024;
/** A batch that takes as long lets the progress stand still, and larger ones gain little. */
const longMs = 60;
const batchesPerSize = 3;
/** What twice the rows have to gain. */
const neededGain = 1.1;

/** Always the same number. */
export function fixedBatchSize(rows: number): BatchSizer {
  return { rows, isSettled: true, enter: () => true, leave: () => {}, record: () => {} };
}

/**
 * Measures while the first batches are scored: 32 rows at first, and twice as many as long as that gives a tenth more rows
 * a second, a batch takes less than 60 ms, and it is not above 1,024 rows or `mostInputBytes`. Of three batches of a size
 * the fastest counts: what else the machine does makes them slower only.
 *
 * @param rowBytes - Of all inputs of a row.
 */
export function measureBatchSize(rowBytes: number, mostInputBytes: number = 16 << 20): BatchSizer {
  const limit = Math.max(1, Math.min(mostRows, Math.floor(mostInputBytes / rowBytes)));
  let rows = Math.min(firstRows, limit);
  let isSettled = false;
  let durations: number[] = [];
  let isMeasured = false;
  let best = { rows, rate: 0 };
  const settle = (): void => {
    rows = best.rows;
    isSettled = true;
  };
  return {
    get rows() {
      return rows;
    },
    get isSettled() {
      return isSettled;
    },
    enter: () => {
      if (isMeasured && !isSettled) return false;
      isMeasured = true;
      return true;
    },
    leave: () => {
      if (best.rate > 0) settle();
      isMeasured = false;
    },
    record: (durationMs) => {
      if (isSettled) return;
      durations.push(Math.max(durationMs, 1e-3));
      if (durations.length < batchesPerSize && durationMs < longMs) return;
      const fastestMs = Math.min(...durations);
      const rate = rows / fastestMs;
      const hasGained = rate >= best.rate * neededGain;
      if (rate > best.rate) best = { rows, rate };
      if (!hasGained || fastestMs >= longMs / 2 || rows * 2 > limit) return settle();
      rows *= 2;
      durations = [];
    },
  };
}
