import { failImpure } from "../capture/fail-impure.js";
import { fitSize, type Size } from "../ir/size.js";
import { type LoweringCall, UnsupportedKernel } from "./lowering.js";

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function unexpected(name: string, expected: string): never {
  throw new UnsupportedKernel(`its attribute ${name} is not ${expected}`);
}

/**
 * An attribute that is the same at both batch sizes.
 *
 * @throws {CkptError} IMPURE_COMPUTATION when it depends on the batch size.
 */
export function readAttribute(call: LoweringCall, name: string): unknown {
  const [a, b] = call.source.attributes;
  if (JSON.stringify(a[name]) !== JSON.stringify(b[name])) {
    failImpure(call.source.layer, `the attribute ${name} of ${call.kernel} depends on the batch size`);
  }
  return a[name];
}

/** A number, the same at both batch sizes. */
export function readNumber(call: LoweringCall, name: string): number {
  const value = readAttribute(call, name);
  return typeof value === "number" ? value : unexpected(name, "a number");
}

/** A text. */
export function readString(call: LoweringCall, name: string): string {
  const value = readAttribute(call, name);
  return typeof value === "string" ? value : unexpected(name, "a string");
}

/** A flag; false where it is left out. */
export function readFlag(call: LoweringCall, name: string): boolean {
  const value = readAttribute(call, name);
  if (value === undefined || value === null) return false;
  return typeof value === "boolean" ? value : unexpected(name, "a boolean");
}

/** A list of numbers, the same at both batch sizes. */
export function readNumbers(call: LoweringCall, name: string): readonly number[] {
  const value = readAttribute(call, name);
  return isNumbers(value) ? value : unexpected(name, "a list of numbers");
}

/** Pairs, as paddings are given. */
export function readPairs(call: LoweringCall, name: string): readonly (readonly [number, number])[] {
  const value = readAttribute(call, name);
  if (!Array.isArray(value)) return unexpected(name, "a list of pairs");
  return value.map((pair: unknown) => {
    const [before, after] = isNumbers(pair) ? pair : [];
    return before === undefined || after === undefined
      ? unexpected(name, "a list of pairs")
      : ([before, after] as const);
  });
}

/** A list of sizes, each of which may depend on the batch size; one alone may be given as a number. */
export function readSizes(call: LoweringCall, name: string): readonly Size[] {
  const [first, second] = call.source.attributes.map(({ [name]: value }) =>
    typeof value === "number" ? [value] : value,
  );
  if (!isNumbers(first) || !isNumbers(second)) return unexpected(name, "a list of numbers");
  return first.map((size, axis) => fitSize(size, second[axis] ?? size, ...call.batchSizes));
}

/** The list of axes that a reduction or reversal runs over, none negative; all of them where it is left out. */
export function readAxes(call: LoweringCall, name: string, rank: number): readonly number[] {
  const value = readAttribute(call, name);
  if (value === undefined || value === null) return Array.from({ length: rank }, (_, axis) => axis);
  const axes = typeof value === "number" ? [value] : value;
  if (!isNumbers(axes)) return unexpected(name, "an axis or a list of axes");
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** One axis, not negative. */
export function readAxis(call: LoweringCall, name: string, rank: number): number {
  const axis = readNumber(call, name);
  return axis < 0 ? axis + rank : axis;
}
