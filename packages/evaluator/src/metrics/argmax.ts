/** The class of the largest of the scores from `start` on; of equal ones the lowest index. */
export function argmax(scores: Float32Array, start: number, classCount: number): number {
  let best = 0;
  for (let column = 1; column < classCount; column++) {
    if ((scores[start + column] ?? 0) > (scores[start + best] ?? 0)) best = column;
  }
  return best;
}
