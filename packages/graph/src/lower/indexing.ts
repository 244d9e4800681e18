import { attribute } from "../ir/attribute.js";
import type { Lowering, LoweringBuilder, Lowerings, Value } from "./lowering.js";
import { readAxis, readFlag, readNumber, readSizes } from "./read-attribute.js";

function resize(op: string): Lowering {
  return (call, build) => [
    build.add(
      op,
      [call.input("images"), build.sizes(readSizes(call, "size", (position) => position + 1))],
      call.output(),
      {
        align_corners: attribute.bool(readFlag(call, "alignCorners")),
        half_pixel_centers: attribute.bool(readFlag(call, "halfPixelCenters")),
      },
    ),
  ];
}

function scalarOf(build: LoweringBuilder, dtype: Value["dtype"], value: number): Value {
  return dtype === "float32" ? build.float(value) : build.int(value);
}

/** Kernels that look elements up, rank them or resample them. */
export const indexingLowerings: Lowerings = {
  GatherV2: (call, build) => {
    const x = call.input("x");
    const axis = build.int(readAxis(call, "axis", x.sizes.length));
    return [
      build.add("GatherV2", [x, call.input("indices"), axis], call.output(), {
        batch_dims: attribute.int(readNumber(call, "batchDims")),
      }),
    ];
  },
  OneHot: (call, build) => {
    const output = call.output();
    const levels = [readNumber(call, "onValue"), readNumber(call, "offValue")].map((value) =>
      scalarOf(build, output.dtype, value),
    );
    return [
      build.add("OneHot", [call.input("indices"), build.int(readNumber(call, "depth")), ...levels], output, {
        axis: attribute.int(-1),
      }),
    ];
  },
  TopK: (call, build) =>
    build.addMany("TopKV2", [call.input("x"), build.int(readNumber(call, "k"))], call.outputs, {
      sorted: attribute.bool(readFlag(call, "sorted")),
    }),
  Cumsum: (call, build) => {
    const x = call.input("x");
    return [
      build.add("Cumsum", [x, build.int(readAxis(call, "axis", x.sizes.length))], call.output(), {
        exclusive: attribute.bool(readFlag(call, "exclusive")),
        reverse: attribute.bool(readFlag(call, "reverse")),
      }),
    ];
  },
  ResizeBilinear: resize("ResizeBilinear"),
  ResizeNearestNeighbor: resize("ResizeNearestNeighbor"),
};
