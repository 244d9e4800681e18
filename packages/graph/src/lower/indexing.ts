import type { SizedTensor } from "../capture/captured-program.js";
import { attribute } from "../ir/attribute.js";
import { addSizes, isStaticSize, staticSize } from "../ir/size.js";
import { type Lowering, type LoweringBuilder, type Lowerings, UnsupportedKernel, type Value } from "./lowering.js";
import { addOneHot } from "./one-hot.js";
import { readAxis, readFlag, readNumber } from "./read-attribute.js";

/**
 * Gathers in each example by gathering in all of them at once, `params` having `count` rows an example: the wasm
 * backend of TensorFlow.js reads the wrong indices when it gathers by example.
 */
function gatherByExample(
  build: LoweringBuilder,
  params: Value,
  indices: Value,
  count: number,
  output: SizedTensor,
): Value {
  const column = indices.sizes.map((size, axis) => (axis === 0 ? size : staticSize(1)));
  const begin = build.ints(indices.sizes.map(() => 0));
  const size = build.ints(indices.sizes.map((_, axis) => (axis === 0 ? -1 : 1)));
  const column0 = { dtype: "int32", sizes: column } as const;
  const ones = build.add("OnesLike", [build.add("Slice", [indices, begin, size], column0)], column0);
  const example = build.add("Cumsum", [ones, build.int(0)], column0, {
    exclusive: attribute.bool(true),
    reverse: attribute.bool(false),
  });
  const offset = build.add("Mul", [example, build.int(count)], column0);
  const rows = build.add("AddV2", [indices, offset], indices);
  const [batch = staticSize(0), , ...rest] = params.sizes;
  const flat = build.add("Reshape", [params, build.ints([-1, ...rest.map((part) => part.offset)])], {
    dtype: params.dtype,
    sizes: [Array.from({ length: count }, () => batch).reduce(addSizes, staticSize(0)), ...rest],
  });
  return build.add("GatherV2", [flat, rows, build.int(0)], output, { batch_dims: attribute.int(0) });
}

const gather: Lowering = (call, build) => {
  const [x, indices] = [call.input("x"), call.input("indices")];
  const [axis, batchDims] = [readAxis(call, "axis", x.sizes.length), readNumber(call, "batchDims")];
  const [, count, ...rest] = x.sizes;
  if (axis === 1 && batchDims === 1 && count !== undefined && isStaticSize(count) && rest.every(isStaticSize)) {
    return [gatherByExample(build, x, indices, count.offset, call.output())];
  }
  return [
    build.add("GatherV2", [x, indices, build.int(axis)], call.output(), { batch_dims: attribute.int(batchDims) }),
  ];
};

// Indices of elements are a vector each, in the last axis; TensorFlow.js takes scalars where a vector has one element.
function asTuples(build: LoweringBuilder, indices: Value): Value {
  if (indices.sizes.length > 1) return indices;
  return build.reshape(indices, [indices.sizes[0] ?? staticSize(1), staticSize(1)]);
}

const sparseToDense: Lowering = (call, build) => {
  const output = call.output();
  const values = call.input("sparseValues");
  if (values.sizes.length === 0) throw new UnsupportedKernel("one value stands for all of its elements");
  const filled = build.add("Fill", [build.sizes(output.sizes), call.input("defaultValue")], output);
  const indices = asTuples(build, call.input("sparseIndices"));
  return [build.add("TensorScatterUpdate", [filled, indices, values], output)];
};

const oneHot: Lowering = (call, build) => {
  const [indices, output] = [call.input("indices"), call.output()];
  const [depth, on, off] = [readNumber(call, "depth"), readNumber(call, "onValue"), readNumber(call, "offValue")];
  if (output.dtype !== "float32") {
    const inputs = [indices, build.int(depth), build.int(on), build.int(off)];
    return [build.add("OneHot", inputs, output, { axis: attribute.int(-1) })];
  }
  const hot = addOneHot(build, indices, depth);
  if (on === 1 && off === 0) return [hot];
  const scaled = build.add("Mul", [hot, build.float(on - off)], output);
  return [build.add("AddV2", [scaled, build.float(off)], output)];
};

// A matrix with the elements of `x` on its diagonal and zeros elsewhere, in the shape of `x` twice.
const diag: Lowering = (call, build) => {
  const x = call.input("x");
  if (x.dtype === "bool") throw new UnsupportedKernel("its elements are bool");
  if (!x.sizes.every(isStaticSize)) throw new UnsupportedKernel("the size of its diagonal is open");
  const count = x.sizes.reduce((product, size) => product * size.offset, 1);
  const row = build.ints(Array.from({ length: count }, (_, index) => index));
  const column = build.reshape(row, [staticSize(count), staticSize(1)]);
  const square = [staticSize(count), staticSize(count)];
  const isDiagonal = build.add("Equal", [row, column], { dtype: "bool", sizes: square });
  const flat = build.reshape(x, [staticSize(count)]);
  const matrix = build.add("SelectV2", [isDiagonal, flat, scalarOf(build, x.dtype, 0)], {
    dtype: x.dtype,
    sizes: square,
  });
  return [build.reshape(matrix, call.output().sizes)];
};

function cumulate(op: string): Lowering {
  return (call, build) => {
    const x = call.input("x");
    return [
      build.add(op, [x, build.int(readAxis(call, "axis", x.sizes.length))], call.output(), {
        exclusive: attribute.bool(readFlag(call, "exclusive")),
        reverse: attribute.bool(readFlag(call, "reverse")),
      }),
    ];
  };
}

function scalarOf(build: LoweringBuilder, dtype: Value["dtype"], value: number): Value {
  return dtype === "float32" ? build.float(value) : build.int(value);
}

/** Kernels that look elements up, rank them, put them elsewhere or add them up in order. */
export const indexingLowerings: Lowerings = {
  GatherV2: gather,
  OneHot: oneHot,
  TopK: (call, build) =>
    build.addMany("TopKV2", [call.input("x"), build.int(readNumber(call, "k"))], call.outputs, {
      sorted: attribute.bool(readFlag(call, "sorted")),
    }),
  Cumprod: cumulate("Cumprod"),
  Cumsum: cumulate("Cumsum"),
  GatherNd: (call, build) => [build.add("GatherNd", [call.input("params"), call.input("indices")], call.output())],
  ScatterNd: (call, build) => [
    build.add(
      "ScatterNd",
      [call.input("indices"), call.input("updates"), build.sizes(call.output().sizes)],
      call.output(),
    ),
  ],
  TensorScatterUpdate: (call, build) => [
    build.add(
      "TensorScatterUpdate",
      [call.input("tensor"), call.input("indices"), call.input("updates")],
      call.output(),
    ),
  ],
  SparseToDense: sparseToDense,
  Diag: diag,
};
