import type { Json, Metrics } from "@ckpt/manifest";

/** Means of per-batch values, each weighted by its batch's rows. */
export interface RowMeans {
  add(values: readonly number[], rowCount: number): void;
  /** The means so far by name, none if there were no rows. */
  read(): Metrics;
  /** Starts again from nothing. */
  reset(): void;
  getState(): Json;
  setState(state: Json): void;
}

/** Makes the means of the values with these names, in this order. */
export function createRowMeans(names: readonly string[]): RowMeans {
  let sums = names.map(() => 0);
  let total = 0;
  return {
    add: (values, rowCount) => {
      sums = sums.map((sum, index) => sum + (values[index] ?? Number.NaN) * rowCount);
      total += rowCount;
    },
    read: () =>
      total === 0 ? {} : Object.fromEntries(names.map((name, index) => [name, (sums[index] ?? Number.NaN) / total])),
    reset: () => {
      sums = names.map(() => 0);
      total = 0;
    },
    getState: () => ({ sums, rowCount: total }),
    setState: (state) => {
      const { sums: stored, rowCount } = state as { readonly sums: readonly number[]; readonly rowCount: number };
      sums = [...stored];
      total = rowCount;
    },
  };
}
