import { argmax } from "./argmax.js";
import type { Accumulator } from "./metric.js";

/** Counts of rows `[true class][predicted class]`; the predicted class is the largest prediction's, as for accuracy. */
export const confusionMatrix: Accumulator<number[][], readonly (readonly number[])[]> = {
  init: (classCount) => Array.from({ length: classCount }, () => Array.from({ length: classCount }, () => 0)),
  update: (state, rows) => {
    for (let row = 0; row < rows.rowCount; row++) {
      const counts = state[rows.labels[row] ?? 0];
      const predicted = argmax(rows.predictions, row * rows.columnCount, rows.columnCount);
      if (counts !== undefined) counts[predicted] = (counts[predicted] ?? 0) + 1;
    }
  },
  merge: (left, right) => left.map((counts, label) => counts.map((count, at) => count + (right[label]?.[at] ?? 0))),
  finalize: (state) => state,
};
