import { damaged } from "./damaged.js";
import { countValues } from "./tensor-shape.js";
import type { PlacedSlice } from "./tensor-slice.js";
import { asTensor, fixedStorages, type TensorArrays, type TensorDtype, type TensorValue } from "./tensor-value.js";

/** More parts than any partitioned variable has; comparing them with each other stays short of a second. */
const maxSlices = 16_384;

/**
 * Checks that slices cover a tensor of `shape`, each value once.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function checkCover(slices: readonly PlacedSlice[], shape: readonly number[], path: string): void {
  if (slices.length > maxSlices) throw damaged(path, `a tensor in ${slices.length} slices`);
  const covered = slices.reduce((sum, slice) => sum + countValues(slice.shape), 0);
  const total = countValues(shape);
  const filled = slices.filter((slice) => countValues(slice.shape) > 0);
  if (covered !== total || filled.some((slice, index) => hasOverlap(slice, filled, index + 1))) {
    throw damaged(path, `slices that do not cover their tensor of the shape [${shape.join(", ")}], each value once`);
  }
}

function hasOverlap(a: PlacedSlice, others: readonly PlacedSlice[], from: number): boolean {
  for (let index = from; index < others.length; index++) {
    const b = others[index]!;
    const isDisjoint = a.starts.some(
      (start, axis) => start >= b.starts[axis]! + b.shape[axis]! || b.starts[axis]! >= start + a.shape[axis]!,
    );
    if (!isDisjoint) return true;
  }
  return false;
}

/** A tensor that is filled slice by slice. */
export interface Assembly {
  /** Copies a slice's values to their place. */
  place(slice: PlacedSlice, values: TensorArrays[TensorDtype]): void;
  readonly tensor: TensorValue;
}

/** Takes the memory for a whole tensor, whose cover {@link checkCover} has checked. */
export function startAssembly(dtype: TensorDtype, shape: readonly number[]): Assembly {
  if (dtype === "string") {
    const values = Array.from({ length: countValues(shape) }, () => new Uint8Array());
    const copy = (source: TensorArrays["string"], from: number, to: number, count: number): void => {
      for (let index = 0; index < count; index++) values[to + index] = source[from + index] as Uint8Array<ArrayBuffer>;
    };
    return {
      place: (slice, source) => forEachRun(slice, shape, (...run) => copy(source as TensorArrays["string"], ...run)),
      tensor: asTensor(dtype, shape, values),
    };
  }
  const { Array: ArrayType, width } = fixedStorages[dtype];
  const values = new ArrayType(countValues(shape) * width);
  const copy = (source: Uint8Array, from: number, to: number, count: number): void => {
    (values as Uint8Array).set(source.subarray(from * width, (from + count) * width), to * width);
  };
  return {
    // All arrays of one dtype have one type: it stands for whichever this is.
    place: (slice, source) => forEachRun(slice, shape, (...run) => copy(source as Uint8Array, ...run)),
    tensor: asTensor(dtype, shape, values),
  };
}

/** Visits the stretches of a slice that are in one piece in the whole tensor, in the slice's own order. */
function forEachRun(
  { starts, shape: sizes }: PlacedSlice,
  shape: readonly number[],
  visit: (from: number, to: number, count: number) => void,
): void {
  // The innermost dimensions that are whole, and the one outside of them, make one run.
  let axis = shape.length - 1;
  let runLength = 1;
  while (axis > 0 && sizes[axis] === shape[axis]) runLength *= shape[axis--]!;
  runLength *= sizes[axis] ?? 1;
  if (countValues(sizes) === 0) return;
  const strides = shape.map((_, index) => countValues(shape.slice(index + 1)));
  const base = starts.reduce((sum, start, index) => sum + start * strides[index]!, 0);
  const outer = sizes.slice(0, Math.max(axis, 0));
  const runCount = countValues(outer);
  for (let run = 0; run < runCount; run++) {
    let to = base;
    for (let index = outer.length - 1, rest = run; index >= 0; index--) {
      to += (rest % outer[index]!) * strides[index]!;
      rest = Math.floor(rest / outer[index]!);
    }
    visit(run * runLength, to, runLength);
  }
}
