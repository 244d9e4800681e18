/** The columns by which rows count, where they do not count alike and each by itself. */
export interface ScoredBy {
  readonly weights?: string;
  readonly groupBy?: string;
}

/** Words to be put behind the number of rows: ` weighted by w, grouped by site`. */
export function formatScoring({ weights, groupBy }: ScoredBy): string {
  const parts = [
    ...(weights === undefined ? [] : [`weighted by ${weights}`]),
    ...(groupBy === undefined ? [] : [`grouped by ${groupBy}`]),
  ];
  return parts.length === 0 ? "" : ` ${parts.join(", ")}`;
}
