import { CkptError } from "@ckpt/manifest";

import { failImpure } from "../capture/fail-impure.js";
import { type Size, toSymbolicShape } from "../ir/size.js";
import { type LoweringCall, UnsupportedKernel } from "./lowering.js";

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function unexpected(name: string, expected: string): never {
  throw new UnsupportedKernel(`its attribute ${name} is not ${expected}`);
}

/**
 * An attribute that is the same for every size of the inputs.
 *
 * @throws {CkptError} IMPURE_COMPUTATION when it depends on one.
 */
export function readAttribute(call: LoweringCall, name: string): unknown {
  const [value, ...others] = call.source.attributes.map((attributes) => attributes[name]);
  const text = JSON.stringify(value);
  if (others.some((other) => JSON.stringify(other) !== text)) {
    failImpure(call.source.layer, `the attribute ${name} of ${call.kernel} depends on an open size of the input`);
  }
  return value;
}

/** A number, the same for every size. */
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

/** A list of numbers, the same for every size. */
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

/**
 * A list of sizes, each of which may follow from sizes known before the call; one alone may be given as a number. `axisOf`
 * says which axis of the arguments the size at a position goes with.
 *
 * @throws {CkptError} UNSUPPORTED_SHAPE when it follows from none.
 */
export function readSizes(
  call: LoweringCall,
  name: string,
  axisOf: (position: number) => number = (position) => position,
): readonly Size[] {
  const lists = call.source.attributes.map(({ [name]: value }) => (typeof value === "number" ? [value] : value));
  const [first] = lists;
  if (!isNumbers(first) || !lists.every(isNumbers)) return unexpected(name, "a list of numbers");
  const observed = first.map((_, position) => lists.map((list) => list[position] ?? Number.NaN));
  const sizes = observed.map((each, position) => call.fitSize(each, axisOf(position)));
  const known = sizes.filter((size) => size !== undefined);
  if (known.length === sizes.length) return known;
  throw new CkptError("UNSUPPORTED_SHAPE", {
    where: `${call.source.layer === "" ? "the captured function" : call.source.layer}: attribute ${name} of ${call.kernel}`,
    shape: sizes.map((size) => (size === undefined ? null : (toSymbolicShape([size])[0] ?? null))),
    reason: "an open size in it follows from no size of a tensor before it",
  });
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
