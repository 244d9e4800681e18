/** `--metric NAME`, in yargs' terms. A command that has it names it as repeatable. */
export const metricOption = {
  type: "string",
  array: true,
  default: [] as readonly string[],
  requiresArg: true,
  describe: "Metric, may be repeated; the first one ranks",
} as const;

/** `--race` and `--no-race`. */
export const raceOption = {
  type: "boolean",
  describe: "Drop losers before they are scored on all rows; default: where it pays. --no-race for the full table",
} as const;

/** `--constraint BOUND`, likewise. */
export const constraintOption = {
  type: "string",
  array: true,
  default: [] as readonly string[],
  requiresArg: true,
  describe: "Bound that candidates have to keep to, such as 'p95<=5ms' or 'bytes<=2MB'; may be repeated",
} as const;
