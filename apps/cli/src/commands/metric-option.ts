/** `--metric NAME`, in yargs' terms. A command that has it names it as repeatable. */
export const metricOption = {
  type: "string",
  array: true,
  default: [] as readonly string[],
  requiresArg: true,
  describe: "Metric, may be repeated; the first one ranks",
} as const;
