import { createValues, type RowValues, type RowWriter, type Values } from "./row-values.js";

/** A {@link RowWriter} into memory. */
export interface MemoryRowWriter extends RowWriter {
  /** The values of all rows that were written, in an array of their size. */
  trim(): Values;
}

/** Makes a writer into an array that grows; a row has `width` values. */
export function createMemoryWriter(dtype: "float32" | "int32", width: number): MemoryRowWriter {
  let rowCount = 0;
  let values = createValues(dtype, 0);
  const resize = (size: number): void => {
    const resized = createValues(dtype, size);
    resized.set(values.subarray(0, size));
    values = resized;
  };
  const trim = (): Values => {
    if (values.length !== rowCount * width) resize(rowCount * width);
    return values;
  };
  return {
    get values() {
      return values;
    },
    claim() {
      const at = rowCount++ * width;
      if (at === values.length) resize(Math.max(1024 * width, 2 * at));
      return at;
    },
    trim,
    finish: () => createMemoryRows(trim(), width),
  };
}

/** Rows in memory, `width` values each. */
export function createMemoryRows(values: Values, width: number): RowValues {
  return {
    read: async (start, end) => values.subarray(start * width, end * width),
    gather: async (indices) => {
      const size = indices.length * width;
      const gathered = values instanceof Float32Array ? new Float32Array(size) : new Int32Array(size);
      for (let at = 0; at < indices.length; at++) {
        const from = indices[at]! * width;
        gathered.set(values.subarray(from, from + width), at * width);
      }
      return gathered;
    },
    async *pieces() {
      yield values;
    },
  };
}
