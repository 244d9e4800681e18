import { argmax } from "./argmax.js";
import type { Metric } from "./metric.js";
import { wilsonInterval } from "./wilson-interval.js";

interface Counts {
  correct: number;
  total: number;
}

/**
 * Fraction of rows whose largest prediction is the label's; equal predictions count for the lowest index, so one
 * probability p of two classes means class 1 from above 0.5. With a Wilson interval.
 */
export const accuracy: Metric<Counts> = {
  name: "accuracy",
  aliases: ["accuracy_score"],
  task: "classification",
  mode: "max",
  range: [0, 1],
  needsProbabilities: false,
  init: () => ({ correct: 0, total: 0 }),
  update: (state, rows) => {
    for (let row = 0; row < rows.rowCount; row++) {
      if (argmax(rows, row) === rows.labels[row]) state.correct += 1;
    }
    state.total += rows.rowCount;
  },
  merge: (left, right) => ({ correct: left.correct + right.correct, total: left.total + right.total }),
  finalize: ({ correct, total }) => ({ value: correct / total, interval: wilsonInterval(correct, total) }),
};
