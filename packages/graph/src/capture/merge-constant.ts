import { CkptError } from "@ckpt/manifest";

import type { TensorValues } from "../ir/graph.js";
import { isSizeOf, isStaticSize, type Size } from "../ir/size.js";
import type { ProgramConstant } from "./captured-program.js";
import { equalArrays, type TraceSet } from "./check-traces.js";
import { failImpure } from "./fail-impure.js";
import { observeSizes } from "./observe-sizes.js";
import type { SizeFitter } from "./size-fitter.js";
import { copyValues } from "./tensor-values.js";
import type { Trace, TracedConstant } from "./trace.js";

// Start and step where all the lists count by the same; whole numbers, which every engine counts exactly.
function findProgression(lists: readonly TensorValues[]): { start: number; step: number } | undefined {
  const longest = lists.reduce((best, list) => (list.length > best.length ? list : best));
  const [start = 0, next = start] = longest;
  const step = next - start;
  const isOne = lists.every((list) => list.every((value, index) => Object.is(value, start + index * step)));
  return isOne && Number.isInteger(start) && Number.isInteger(step) ? { start, step } : undefined;
}

// What is there once for each index of the first axis, where that is all.
function findRow(tensors: readonly (TracedConstant | undefined)[]): TensorValues | undefined {
  const [first] = tensors;
  const length = (first?.values.length ?? 0) / (first?.shape[0] ?? 1);
  const row = first?.values.slice(0, length);
  if (row === undefined || length < 2) return undefined;
  const isRepeated = (values: TensorValues): boolean =>
    values.length % length === 0 && values.every((value, index) => Object.is(value, row[index % length]));
  return tensors.every((tensor) => tensor !== undefined && isRepeated(tensor.values)) ? row : undefined;
}

function fitSizes(
  fitter: SizeFitter,
  tensors: readonly (TracedConstant | undefined)[],
  layer: string,
): readonly Size[] {
  const observed = observeSizes(tensors);
  return observed.map((size) => {
    const fitted = fitter.fitRequested({ observed: size, near: [] });
    if (fitted !== undefined) return fitted;
    throw new CkptError("UNSUPPORTED_SHAPE", {
      where: layer === "" ? "a constant" : `a constant of layer ${layer}`,
      shape: observed.map(([first = null, ...others]) => (others.every((other) => other === first) ? first : null)),
      reason: "its size follows from no size of a tensor",
    });
  });
}

/**
 * The constant that has this number in each of the runs. Where its shape is open it may hold one value everywhere, one row
 * for each index of its first axis, or count along its one open axis (positions in a sequence).
 *
 * @throws {CkptError} IMPURE_COMPUTATION where its values depend on a size otherwise; UNSUPPORTED_SHAPE where its shape
 *   follows from no size.
 */
export function mergeConstant(
  runs: readonly Trace[],
  index: number,
  { fitter, nameCause }: Pick<TraceSet, "nameCause"> & { readonly fitter: SizeFitter },
): ProgramConstant {
  const tensors = runs.map((run) => run.constants[index]);
  const [first] = tensors;
  if (first === undefined) throw new TypeError("The trace refers to a constant that it does not have.");
  const { dtype, layer, values } = first;
  const sizes = fitSizes(fitter, tensors, layer);
  if (sizes.every(isStaticSize)) {
    const differs = (trace: Trace): boolean => !equalArrays(values, trace.constants[index]?.values ?? []);
    if (runs.some(differs)) {
      failImpure(layer, `a constant has other values when ${nameCause(differs)} changes: a size is used as a number`);
    }
    return { dtype, sizes, layer, values, step: 0, isRow: false };
  }
  const lists = tensors.flatMap((tensor) => tensor?.values ?? []);
  const [value] = lists.find((list) => list.length > 0) ?? [];
  if (value !== undefined && lists.every((list) => list.every((other) => Object.is(other, value)))) {
    return { dtype, sizes, layer, values: copyValues(dtype, [value]), step: 0, isRow: false };
  }
  const row = sizes.slice(1).every(isStaticSize) ? findRow(tensors) : undefined;
  if (row !== undefined) return { dtype, sizes, layer, values: row, step: 0, isRow: true };
  const progression = dtype === "bool" ? undefined : findProgression(lists);
  if (progression === undefined || sizes.filter((size) => !isSizeOf(size, 1)).length !== 1) {
    failImpure(
      layer,
      "a constant grows with a size of the input, and its values are neither all the same, nor a row again and again, nor a count",
    );
  }
  return { dtype, sizes, layer, values: copyValues(dtype, [progression.start]), step: progression.step, isRow: false };
}
