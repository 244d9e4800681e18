/**
 * Whether each of some points is on the Pareto front: no other is at least as good in everything and better in
 * something.
 *
 * @param points - `[point][objective]`; less is better.
 */
export function findPareto(points: readonly (readonly number[])[]): readonly boolean[] {
  return points.map((point) => !points.some((other) => dominates(other, point)));
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, index) => value <= (b[index] ?? NaN)) && a.some((value, index) => value < (b[index] ?? NaN));
}
