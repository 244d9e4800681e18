import { digestBytes, type Split } from "@ckpt/manifest";

import { smallWidths } from "./dense-model.js";

const [width = 0] = smallWidths;
const classCount = smallWidths.at(-1) ?? 0;

/**
 * The split that the small dense model is scored on. Rows beyond those of the pool are the same ones again, so that memory
 * is the evaluator's and not the data's.
 *
 * @param pool - `[rows, width]`.
 * @param labels - Class of each row of the pool.
 */
export function makeDenseSplit(pool: Float32Array, labels: Int32Array, rowCount: number): Split {
  const distinctRows = labels.length;
  const pick = <Values extends Float32Array | Int32Array>(
    values: Values,
    size: number,
    rows: ArrayLike<number>,
  ): Values => {
    const picked = values.slice(0, rows.length * size) as Values;
    for (let to = 0; to < rows.length; to += 1) {
      const from = ((rows[to] ?? 0) % distinctRows) * size;
      picked.set(values.subarray(from, from + size), to * size);
    }
    return picked;
  };
  const take = <Values extends Float32Array | Int32Array>(
    values: Values,
    size: number,
    start: number,
    end: number,
  ): Values => {
    const first = start % distinctRows;
    if (first + end - start <= distinctRows) {
      return values.subarray(first * size, (first + end - start) * size) as Values;
    }
    return pick(
      values,
      size,
      Array.from({ length: end - start }, (_, row) => start + row),
    );
  };
  return {
    name: "select",
    role: "select",
    rowCount,
    digest: digestBytes(Buffer.concat([new Uint8Array(pool.buffer), new Uint8Array(labels.buffer)])),
    inputs: [{ name: "input", dtype: "float32", shape: [null, width] }],
    classes: Array.from({ length: classCount }, (_, index) => String(index)),
    read: (start, end) =>
      Promise.resolve({
        rowCount: end - start,
        inputs: { input: { data: take(pool, width, start, end), shape: [end - start, width] } },
        labels: { data: take(labels, 1, start, end), shape: [end - start] },
      }),
    gather: (indices) =>
      Promise.resolve({
        rowCount: indices.length,
        inputs: { input: { data: pick(pool, width, indices), shape: [indices.length, width] } },
        labels: { data: pick(labels, 1, indices), shape: [indices.length] },
      }),
  };
}
