/** p-values of a comparison of two candidates that are right or wrong. */
export interface McnemarResult {
  /** Exact and two-sided: never rejects too often. */
  readonly exact: number;
  /** The same with half the weight on the outcome itself: near to its level, and of more power. */
  readonly midP: number;
}

/**
 * McNemar's exact test, on rows where just one of two candidates is right: under the null each is as likely as the other.
 * Without such rows both p-values are 1. Reference: T. Dietterich, Approximate Statistical Tests for Comparing Supervised
 * Classification Learning Algorithms (1998); M. Fagerland, S. Lydersen and P. Laake, The McNemar test (2013) for mid-p.
 *
 * @param onlyFirst - Rows that only the first candidate has right.
 * @param onlySecond - Rows that only the second has right.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): McnemarResult {
  const total = onlyFirst + onlySecond;
  if (total === 0) return { exact: 1, midP: 1 };
  const least = Math.min(onlyFirst, onlySecond);
  const point = Math.exp(logFactorial(total) - logFactorial(least) - logFactorial(total - least) - total * Math.LN2);
  let term = point;
  let tail = point;
  for (let count = least; count > 0 && term > 0; count--) {
    term *= count / (total - count + 1);
    tail += term;
  }
  return { exact: Math.min(1, 2 * tail), midP: Math.min(1, 2 * tail - point) };
}

/** ln n!, by Stirling's series from 32 on. Reference: Abramowitz and Stegun, Handbook, 6.1.41. */
function logFactorial(n: number): number {
  if (n < 32) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  return (
    (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5)
  );
}
