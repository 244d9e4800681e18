/** So many names are read at a glance. */
const listed = 12;

/** The names there are, as a text for an error, each once: all of a few, of many those that are spelled most like `wanted`. */
export function describeNames(wanted: string, names: readonly string[]): string {
  const byDistance = [...new Set(names)]
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ name }) => name);
  if (byDistance.length <= listed) return byDistance.join(", ");
  return `${byDistance.slice(0, listed).join(", ")} and ${byDistance.length - listed} more`;
}

/** Letters to insert, delete or change to make `b` of `a` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
