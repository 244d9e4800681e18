import type { ScoredRows } from "./metric.js";

/** What is kept of the rows: values `[rows, width]`. */
export interface KeptRows {
  readonly rowCount: number;
  /** As of the scored rows. */
  readonly columnCount: number;
  readonly width: number;
  readonly values: RecordValues;
}

/** Values kept of rows, by their dtype. */
export type RecordValues = Float64Array | Float32Array | Int32Array | Uint8Array;

/** What metrics keep of a row. Metrics that name the same record share one copy. */
export interface RowRecord {
  readonly dtype: "float64" | "float32" | "int32" | "uint8";
  /** Values a row. */
  width(columnCount: number): number;
  /** Writes the values of a row to `target` from `offset` on. */
  write(rows: ScoredRows, row: number, target: RecordValues, offset: number): void;
}

const arrays = { float64: Float64Array, float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

/** Makes the record of some rows. */
export function recordRows(record: RowRecord, rows: ScoredRows): RecordValues {
  const width = record.width(rows.columnCount);
  const values = new arrays[record.dtype](rows.rowCount * width);
  for (let row = 0; row < rows.rowCount; row++) record.write(rows, row, values, row * width);
  return values;
}

/** Puts pieces of rows behind each other. */
export function joinRows(record: RowRecord, columnCount: number, parts: readonly RecordValues[]): KeptRows {
  const width = record.width(columnCount);
  const values = new arrays[record.dtype](parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return { rowCount: width === 0 ? 0 : values.length / width, columnCount, width, values };
}

/** The rows at `indices`, copied. */
export function selectRows({ columnCount, width, values }: KeptRows, indices: Uint32Array): KeptRows {
  const selected = values.slice(0, indices.length * width);
  for (const [to, from] of indices.entries()) {
    for (let column = 0; column < width; column++) {
      selected[to * width + column] = values[from * width + column] ?? 0;
    }
  }
  return { rowCount: indices.length, columnCount, width, values: selected };
}

/** One value a row, such as its loss. */
export function recordValue(dtype: RowRecord["dtype"], score: (rows: ScoredRows, row: number) => number): RowRecord {
  return {
    dtype,
    width: () => 1,
    write: (rows, row, target, offset) => {
      target[offset] = score(rows, row);
    },
  };
}
