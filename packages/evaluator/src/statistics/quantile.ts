/** The value below which a fraction of sorted values lies, by linear interpolation as NumPy's default. */
export function quantile(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const index = Math.floor(position);
  const below = sorted[index] ?? NaN;
  const above = sorted[Math.min(index + 1, sorted.length - 1)] ?? NaN;
  // Equal ends are taken as they are: infinities have no difference.
  return below === above ? below : below + (position - index) * (above - below);
}
