/** Rows with their weights, and which of them belong together. */
export interface Sample {
  readonly rowCount: number;
  /** `[rows]`, not negative. Default: 1 each. */
  readonly weights?: Float64Array;
  /** `[rows]`: a number per row; rows of one number are drawn together. Default: every row by itself. */
  readonly groups?: Int32Array;
}

/** What is drawn when a sample is resampled: single rows, or groups of them. */
export interface Units {
  readonly count: number;
  /** `[rows]`: from 0, in the order of their first row; absent when every row is a unit. */
  readonly ofRow?: Uint32Array;
}

/** Numbers the units of a sample. */
export function findUnits({ rowCount, groups }: Sample): Units {
  if (groups === undefined) return { count: rowCount };
  const numbers = new Map<number, number>();
  const ofRow = new Uint32Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const group = groups[row] ?? 0;
    let number = numbers.get(group);
    if (number === undefined) numbers.set(group, (number = numbers.size));
    ofRow[row] = number;
  }
  return { count: numbers.size, ofRow };
}

/** The rows' own weights, or ones. */
export function weightsOf({ rowCount, weights }: Sample): Float64Array {
  return weights ?? new Float64Array(rowCount).fill(1);
}

/** Writes each row's weight times how often its unit counts. */
export function spreadCounts(sample: Sample, units: Units, counts: Float64Array, target: Float64Array): void {
  const { rowCount, weights } = sample;
  const { ofRow } = units;
  for (let row = 0; row < rowCount; row++) {
    const count = counts[ofRow === undefined ? row : (ofRow[row] ?? 0)] ?? 0;
    target[row] = weights === undefined ? count : count * (weights[row] ?? 0);
  }
}
