import { isStaticSize, type Size, staticSize } from "../ir/size.js";
import type { ProgramArgument } from "./captured-program.js";
import { AmbiguousSizes, type SizeFitter } from "./size-fitter.js";

/** One size of a call's result, as it was in each trace. */
export interface ObservedOutput {
  readonly kernel: string;
  readonly inputs: readonly ProgramArgument[];
  readonly observed: readonly number[];
  readonly axis: number;
  /** Whether the result is used. */
  readonly isLive: boolean;
}

/** Kernels whose every result size comes from the same axis of `x`, often rounded. */
const windowKernels: ReadonlySet<string> = new Set([
  "AvgPool",
  "AvgPool3D",
  "Conv2D",
  "Conv3D",
  "DepthwiseConv2dNative",
  "FusedConv2D",
  "FusedDepthwiseConv2D",
  "MaxPool",
  "MaxPool3D",
]);

/** Kernels whose result has a size that was given as a number, or comes from one. */
const sizedKernels: ReadonlySet<string> = new Set([
  "BroadcastTo",
  "Conv2DBackpropInput",
  "Conv3DBackpropInputV2",
  "CropAndResize",
  "ExpandDims",
  "Fill",
  "PadV2",
  "Reshape",
  "ResizeBilinear",
  "ResizeNearestNeighbor",
  "ScatterNd",
  "Slice",
  "SplitV",
  "StridedSlice",
  "Tile",
]);

/**
 * The size of a result by the sizes of the arguments; for kernels that are told a size, by any size known so far; else a
 * symbol of its own, which is always right.
 *
 * @throws {AmbiguousSizes} where a window covers an open size whole.
 */
export function fitOutput(fitter: SizeFitter, { kernel, inputs, observed, axis, isLive }: ObservedOutput): Size {
  if (windowKernels.has(kernel)) {
    const source = inputs.find(({ slot }) => slot === "x")?.sizes[axis];
    const size = fitter.fitComputed({ observed, near: source === undefined ? [] : [source] }, isLive);
    if (source !== undefined && isStaticSize(size) && !isStaticSize(source)) {
      throw new AmbiguousSizes(`${kernel} makes an open size the same at every size that was tried`);
    }
    return size;
  }
  const [first] = observed;
  if (first !== undefined && observed.every((value) => value === first)) return staticSize(first);
  const near = listNear(inputs, axis);
  const size = sizedKernels.has(kernel) ? fitter.fitRequested({ observed, near }) : undefined;
  return size ?? fitter.fitComputed({ observed, near }, isLive);
}

/** The sizes of the arguments, those of the same axis first. */
export function listNear(inputs: readonly { readonly sizes: readonly Size[] }[], axis: number): readonly Size[] {
  return [...inputs.flatMap(({ sizes }) => sizes[axis] ?? []), ...inputs.flatMap(({ sizes }) => sizes)];
}
