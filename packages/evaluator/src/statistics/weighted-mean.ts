/**
 * Sum of values times weights over the sum of weights, NaN when that is 0. Both sums are compensated, so the order of
 * the rows makes no difference beyond the last digit.
 * Reference: A. Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54 (1974).
 */
export function weightedMean(values: Float64Array, weights: Float64Array): number {
  let sum = 0;
  let lost = 0;
  let total = 0;
  let totalLost = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights[row] ?? 0;
    if (weight === 0) continue;
    const added = weight * (values[row] ?? 0);
    const next = sum + added;
    lost += Math.abs(sum) >= Math.abs(added) ? sum - next + added : added - next + sum;
    sum = next;
    const nextTotal = total + weight;
    totalLost += total >= weight ? total - nextTotal + weight : weight - nextTotal + total;
    total = nextTotal;
  }
  return (sum + lost) / (total + totalLost);
}
