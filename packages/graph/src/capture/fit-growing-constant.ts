import type { TensorValues } from "../ir/graph.js";
import { isStaticSize, type Size } from "../ir/size.js";
import type { GrowingValues } from "./captured-program.js";
import type { TracedConstant } from "./trace.js";

function isRepeated(values: TensorValues, row: TensorValues): boolean {
  return values.length % row.length === 0 && values.every((value, index) => Object.is(value, row[index % row.length]));
}

function isCounting(values: TensorValues): boolean {
  return values.every((value, index) => value === index);
}

/**
 * How a constant that grows with the batch goes on: one value all over, one row again and again, or the integers from
 * 0; `undefined` where two observations of it say none of these.
 */
export function fitGrowingConstant(
  first: TracedConstant,
  second: TracedConstant,
  sizes: readonly Size[],
): GrowingValues | undefined {
  const both = [first.values, second.values];
  const longer = first.values.length > 0 ? first : second;
  const one = longer.values.slice(0, 1);
  if (one.length === 1 && both.every((values) => isRepeated(values, one))) return { growth: "uniform", values: one };
  if (!sizes.slice(1).every(isStaticSize)) return undefined;
  const row = longer.values.slice(0, longer.values.length / (longer.shape[0] ?? 1));
  if (row.length > 1 && both.every((values) => isRepeated(values, row))) return { growth: "rows", values: row };
  const isVector = first.dtype === "int32" && sizes.length === 1;
  return isVector && both.every(isCounting) ? { growth: "counting", values: new Int32Array() } : undefined;
}
