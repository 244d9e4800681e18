import { attribute } from "../ir/attribute.js";
import { isSizeOf, isStaticSize, staticSize } from "../ir/size.js";
import { type Lowering, type Lowerings, UnsupportedKernel } from "./lowering.js";
import { addOneHot } from "./one-hot.js";
import { readFlag, readNumber, readString } from "./read-attribute.js";

// How often each number occurs, or the sum of the weights where it does. ONNX has no such operation, so it is one hot
// and a sum in every format.
const bincount: Lowering = (call, build) => {
  const [x, weights] = [call.input("x"), call.input("weights")];
  const output = call.output();
  if (output.dtype !== "float32") throw new UnsupportedKernel(`its weights are ${output.dtype}, not float32`);
  const axis = build.ints([x.sizes.length - 1]);
  let hot = addOneHot(build, x, readNumber(call, "size"));
  const isBinary = readFlag(call, "binaryOutput");
  if (!isBinary && !weights.sizes.some((size) => isSizeOf(size, 0))) {
    const column = build.reshape(weights, [...x.sizes, staticSize(1)]);
    hot = build.add("Mul", [hot, column], hot);
  }
  // Over one dimension TensorFlow.js counts even when asked for a binary answer.
  const op = isBinary && x.sizes.length > 1 ? "Max" : "Sum";
  return [build.add(op, [hot, axis], output, { keep_dims: attribute.bool(false) })];
};

// The sum of the rows of each segment, as the product with the transposed one-hot matrix of the segments.
const unsortedSegmentSum: Lowering = (call, build) => {
  const [x, segmentIds] = [call.input("x"), call.input("segmentIds")];
  const output = call.output();
  if (output.dtype !== "float32") throw new UnsupportedKernel(`its values are ${output.dtype}, not float32`);
  const [rows, ...rest] = x.sizes;
  if (rows === undefined || segmentIds.sizes.length !== 1 || !rest.every(isStaticSize))
    throw new UnsupportedKernel("its values are not rows of a known size with one segment each");
  const count = readNumber(call, "numSegments");
  const width = staticSize(rest.reduce((product, size) => product * size.offset, 1));
  const matrix = build.reshape(x, [rows, width]);
  const sums = { dtype: output.dtype, sizes: [staticSize(count), width] };
  const product = build.add("MatMul", [addOneHot(build, segmentIds, count), matrix], sums, {
    transpose_a: attribute.bool(true),
    transpose_b: attribute.bool(false),
  });
  return [build.reshape(product, output.sizes)];
};

// Where a value would be put into a sorted row: behind all that are less, or behind the equal ones too.
const searchSorted: Lowering = (call, build) => {
  const [row, values] = [call.input("sortedSequence"), call.input("values")];
  const output = call.output();
  const [rowCount, length] = row.sizes;
  const [, valueCount] = values.sizes;
  if (rowCount === undefined || length === undefined || valueCount === undefined)
    throw new UnsupportedKernel("its arguments are not matrices");
  const isBefore = build.add(
    readString(call, "side") === "left" ? "Less" : "LessEqual",
    [
      build.reshape(row, [rowCount, staticSize(1), length]),
      build.reshape(values, [rowCount, valueCount, staticSize(1)]),
    ],
    { dtype: "bool", sizes: [rowCount, valueCount, length] },
  );
  const ones = build.add("Cast", [isBefore], { dtype: "int32", sizes: isBefore.sizes });
  return [build.add("Sum", [ones, build.ints([2])], output, { keep_dims: attribute.bool(false) })];
};

/** Kernels that count or add up by index. */
export const countingLowerings: Lowerings = {
  Bincount: bincount,
  DenseBincount: bincount,
  UnsortedSegmentSum: unsortedSegmentSum,
  SearchSorted: searchSorted,
};
