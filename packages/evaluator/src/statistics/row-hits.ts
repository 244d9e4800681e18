/** Which rows a candidate has right: one bit a row. */
export interface RowHits {
  readonly rowCount: number;
  readonly bits: Uint32Array;
}

/** @param rightValue - What a row has that counts as right: 1 for a metric such as accuracy, 0 for a loss of 0 and 1. */
export function packHits(rowValues: Float64Array, rightValue: 0 | 1): RowHits {
  const bits = new Uint32Array(Math.ceil(rowValues.length / 32));
  for (const [row, value] of rowValues.entries()) {
    if (value === rightValue) bits[row >>> 5] = (bits[row >>> 5] ?? 0) | (1 << (row & 31));
  }
  return { rowCount: rowValues.length, bits };
}

/** Rows that just one of two candidates has right. */
export function countDiscordant(first: RowHits, second: RowHits): { onlyFirst: number; onlySecond: number } {
  let [onlyFirst, onlySecond] = [0, 0];
  for (const [at, bits] of first.bits.entries()) {
    const other = second.bits[at] ?? 0;
    onlyFirst += countBits(bits & ~other);
    onlySecond += countBits(other & ~bits);
  }
  return { onlyFirst, onlySecond };
}

/** Sums of neighbours: pairs, then fours, then bytes. */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
