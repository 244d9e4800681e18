import { type ErrorCode, isCkptError, type RankingManifest } from "@ckpt/manifest";

/** What the process tells its caller: the meanings are part of the command line's contract. */
export const exitCodes = {
  ok: 0,
  /** A gate is not passed. */
  gateFailed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** Bad input: digest, schema, data, parity, unsupported operation. */
  badInput: 3,
  /** The run itself failed: file system, engine, divergence, or a defect of ckpt. */
  runtime: 4,
  /** A gate is neither passed nor not: more rows are needed to tell. */
  inconclusive: 5,
  sigint: 130,
  sigterm: 143,
} as const;

const usageCodes: ReadonlySet<ErrorCode> = new Set([
  "INVALID_OPTION",
  "OUTPUTS_NOT_NAMED",
  "CONFIG_INVALID",
  "CONFIG_NOT_FOUND",
  "RUN_EXISTS",
  "SPLIT_NOT_FOUND",
  "METRIC_NOT_FOUND",
  "TARGET_EXISTS",
]);

const runtimeCodes: ReadonlySet<ErrorCode> = new Set([
  "FILE_SYSTEM",
  "RUN_LOCKED",
  "BACKEND_UNAVAILABLE",
  "ENGINE_UNAVAILABLE",
  "ENGINE_FAILED",
  "METRIC_NOT_FINITE",
  "GRAPH_INVALID",
]);

/** The exit code an error ends the process with; what is not a `CkptError` is a defect and counts as runtime. */
export function exitCodeOf(error: unknown): number {
  if (!isCkptError(error) || runtimeCodes.has(error.code)) return exitCodes.runtime;
  return usageCodes.has(error.code) ? exitCodes.usage : exitCodes.badInput;
}

/** A ranking without a pick is no answer: no candidate gave values that can be ranked. */
export function exitCodeOfRanking({ pick }: Pick<RankingManifest, "pick">): number {
  return pick === undefined ? exitCodes.runtime : exitCodes.ok;
}
