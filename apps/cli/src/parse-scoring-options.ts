import type { ColumnScoring, ColumnSlice } from "@ckpt/evaluator";
import { CkptError } from "@ckpt/manifest";

/** The options of `ckpt evaluate` that say how rows count, as they are typed. */
export interface ScoringArguments {
  /** `COLUMN`, or `NAME=COLUMN:VALUES`. */
  readonly slice: readonly string[];
  readonly weight: string | undefined;
  readonly "group-by": string | undefined;
}

/**
 * Reads the options; what is typed goes before what the configuration says. The values of a slice are one (`a`), several
 * (`a,b`), or a range from a number (inclusive) to another (exclusive), either of which may be missing (`18..60`, `60..`).
 *
 * @throws {CkptError} INVALID_OPTION for a slice that cannot be read, or a name that is given twice.
 */
export function parseScoringOptions(
  { slice, weight, "group-by": groupBy }: ScoringArguments,
  configured: ColumnScoring = {},
): ColumnScoring {
  const slices: Record<string, ColumnSlice> = {};
  for (const text of slice) {
    const [name, parsed] = parseSlice(text);
    if (Object.hasOwn(slices, name)) throw invalidSlice("each name once", text);
    slices[name] = parsed;
  }
  const weights = weight ?? configured.weights;
  const groups = groupBy ?? configured.groupBy;
  const chosen = slice.length > 0 ? slices : configured.slices;
  return {
    ...(weights === undefined ? {} : { weights }),
    ...(groups === undefined ? {} : { groupBy: groups }),
    ...(chosen === undefined ? {} : { slices: chosen }),
  };
}

function parseSlice(text: string): readonly [name: string, slice: ColumnSlice] {
  const { name, column, values } = /^(?<name>[^=]+)=(?<column>[^:]+):(?<values>.+)$/su.exec(text)?.groups ?? {};
  if (name === undefined || column === undefined || values === undefined) {
    if (text === "" || text.includes("=")) throw invalidSlice("COLUMN, or NAME=COLUMN:VALUES", JSON.stringify(text));
    return [text, { column: text }];
  }
  const [, from, to] = /^(.*?)\.\.(.*)$/su.exec(values) ?? [];
  if (from !== undefined && to !== undefined) {
    const range = [from.trim() === "" ? -Infinity : Number(from), to.trim() === "" ? Infinity : Number(to)] as const;
    if (!(range[0] < range[1])) throw invalidSlice("a range such as 18..60, 60.. or ..18", values);
    return [name, { column, range }];
  }
  return [name, { column, in: values.split(",").map(parseValue) }];
}

/** What is written as a number is one: it is found in a file however that writes it. */
function parseValue(text: string): string | number {
  const trimmed = text.trim();
  return String(Number(trimmed)) === trimmed ? Number(trimmed) : trimmed;
}

function invalidSlice(expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option: "--slice", expected, found });
}
