import { CkptError } from "@ckpt/manifest";

/** A bound that a candidate has to keep to. */
export interface Constraint {
  /** As it was written, without spaces: `p95<=5ms`. */
  readonly text: string;
  /** Name of a measure or of a metric. */
  readonly measure: string;
  readonly operator: "<=" | "<" | ">=" | ">";
  /** In milliseconds, bytes, or as it is. */
  readonly limit: number;
  readonly unit: "ms" | "bytes" | "none";
}

const units: ReadonlyMap<string, readonly [factor: number, unit: Constraint["unit"]]> = new Map([
  ["", [1, "none"]],
  ["%", [0.01, "none"]],
  ["us", [0.001, "ms"]],
  ["µs", [0.001, "ms"]],
  ["ms", [1, "ms"]],
  ["s", [1000, "ms"]],
  ["B", [1, "bytes"]],
  ["kB", [1e3, "bytes"]],
  ["KB", [1e3, "bytes"]],
  ["MB", [1e6, "bytes"]],
  ["GB", [1e9, "bytes"]],
  ["KiB", [2 ** 10, "bytes"]],
  ["MiB", [2 ** 20, "bytes"]],
  ["GiB", [2 ** 30, "bytes"]],
]);

/** What measures are in; any other name has no unit. */
const measureUnits: ReadonlyMap<string, Constraint["unit"]> = new Map([
  ["p50", "ms"],
  ["p95", "ms"],
  ["p99", "ms"],
  ["load", "ms"],
  ["bytes", "bytes"],
  ["rss", "bytes"],
]);

/** Whether a name is of what a candidate costs; any other is of a metric. */
export function isMeasure(name: string): boolean {
  return measureUnits.has(name);
}

/**
 * Reads a constraint: a name, `<=`, `<`, `>=` or `>`, and a number with a unit behind it (µs, ms, s; B, kB, MB, GB, KiB,
 * MiB, GiB; %). A number without a unit is in milliseconds for p50, p95, p99 and load, in bytes for bytes and rss, and
 * else as it is.
 *
 * @throws {CkptError} INVALID_OPTION when it cannot be read, or the unit is not one of that measure.
 */
export function parseConstraint(text: string): Constraint {
  const match =
    /^\s*([A-Za-z][\w@.]*?)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([A-Za-zµ%]*)\s*$/.exec(text);
  const [, measure = "", operator = "", number = "", suffix = ""] = match ?? [];
  const [factor, unit] = units.get(suffix) ?? [NaN, "none"];
  const limit = Number(number) * factor;
  if (match === null || !Number.isFinite(limit)) {
    throw new CkptError("INVALID_OPTION", {
      option: "constraint",
      expected: "such as p95<=5ms or bytes<=2MB",
      found: text,
    });
  }
  const own = measureUnits.get(measure) ?? "none";
  if (suffix !== "" && unit !== own) {
    const expected =
      own === "none" ? `no unit or % for ${measure}` : `${measure} in a unit of ${own === "ms" ? "time" : "size"}`;
    throw new CkptError("INVALID_OPTION", { option: "constraint", expected, found: text });
  }
  return {
    text: `${measure}${operator}${number}${suffix}`,
    measure,
    operator: operator as Constraint["operator"],
    limit,
    unit: own,
  };
}

/**
 * Says how a value breaks a constraint, or `undefined` when it keeps to it. A value that is missing or not finite breaks
 * every one.
 *
 * @param value - In milliseconds, bytes, or as it is.
 */
export function describeBreach(constraint: Constraint, value: number | undefined): string | undefined {
  const { text, measure, operator, limit, unit } = constraint;
  if (value === undefined || !Number.isFinite(value)) return `${text}: there is no ${measure}`;
  if (keepsTo(value, { operator, limit })) return undefined;
  return `${text}: it is ${value}${unit === "none" ? "" : ` ${unit}`}`;
}

/** Whether a value is on the side of the limit that is wanted. */
export function keepsTo(value: number, { operator, limit }: Pick<Constraint, "operator" | "limit">): boolean {
  return comparisons[operator](value, limit);
}

const comparisons: Readonly<Record<Constraint["operator"], (value: number, limit: number) => boolean>> = {
  "<=": (value, limit) => value <= limit,
  "<": (value, limit) => value < limit,
  ">=": (value, limit) => value >= limit,
  ">": (value, limit) => value > limit,
};
