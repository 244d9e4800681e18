import { isStaticSize, type Size, staticSize } from "../ir/size.js";
import { type Lowering, type LoweringBuilder, type Lowerings, UnsupportedKernel, type Value } from "./lowering.js";
import { readAttribute, readNumber, readNumbers, readPairs } from "./read-attribute.js";

function known(size: Size | undefined): number {
  if (size === undefined || !isStaticSize(size)) throw new UnsupportedKernel("a size it cuts into blocks is open");
  return size.offset;
}

function transpose(build: LoweringBuilder, x: Value, permutation: readonly number[]): Value {
  const sizes = permutation.flatMap((axis) => x.sizes[axis] ?? []);
  return build.add("Transpose", [x, build.ints(permutation)], { dtype: x.dtype, sizes });
}

// [batch, b1 * h, b2 * w, ...rest] to [b1 * b2 * batch, h, w, ...rest].
const spaceToBatch: Lowering = (call, build) => {
  const x = call.input("x");
  const blocks = readNumbers(call, "blockShape");
  const spatial = blocks.length;
  const [batch, ...others] = x.sizes;
  if (batch === undefined) throw new UnsupportedKernel("its argument is a scalar");
  const around = readPairs(call, "paddings");
  const rest = others.slice(spatial);
  const padded = blocks.map((_, axis) => {
    const [before, after] = around[axis] ?? [0, 0];
    return known(others[axis]) + before + after;
  });
  const paddings = [[0, 0] as const, ...around, ...rest.map(() => [0, 0] as const)];
  const wide = { dtype: x.dtype, sizes: [batch, ...padded.map(staticSize), ...rest] };
  const zero = x.dtype === "float32" ? build.float(0) : build.int(0);
  const filled = build.add("PadV2", [x, build.intPairs(paddings), zero], wide);
  const cut = build.reshape(filled, [
    batch,
    ...blocks.flatMap((block, axis) => [(padded[axis] ?? 0) / block, block].map(staticSize)),
    ...rest,
  ]);
  const moved = transpose(build, cut, [
    ...blocks.map((_, axis) => 2 + 2 * axis),
    0,
    ...blocks.map((_, axis) => 1 + 2 * axis),
    ...rest.map((_, axis) => 1 + 2 * spatial + axis),
  ]);
  return [build.reshape(moved, call.output().sizes)];
};

// [b1 * b2 * batch, h, w, ...rest] to [batch, b1 * h, b2 * w, ...rest], then cropped.
const batchToSpace: Lowering = (call, build) => {
  const x = call.input("x");
  const output = call.output();
  const blocks = readNumbers(call, "blockShape");
  const spatial = blocks.length;
  const crops = readPairs(call, "crops");
  const [batch] = output.sizes;
  if (batch === undefined) throw new UnsupportedKernel("its argument is a scalar");
  const inner = x.sizes.slice(1, 1 + spatial);
  const rest = x.sizes.slice(1 + spatial);
  const cut = build.reshape(x, [...blocks.map(staticSize), batch, ...inner, ...rest]);
  const moved = transpose(build, cut, [
    spatial,
    ...blocks.flatMap((_, axis) => [spatial + 1 + axis, axis]),
    ...rest.map((_, axis) => 2 * spatial + 1 + axis),
  ]);
  const whole = build.reshape(moved, [
    batch,
    ...blocks.map((block, axis) => staticSize(block * known(inner[axis]))),
    ...rest,
  ]);
  if (crops.every(([before, after]) => before === 0 && after === 0)) return [whole];
  const begin = [0, ...blocks.map((_, axis) => crops[axis]?.[0] ?? 0), ...rest.map(() => 0)];
  const size = output.sizes.map((part) => (isStaticSize(part) ? part.offset : -1));
  return [build.add("Slice", [whole, build.ints(begin), build.ints(size)], output)];
};

// [batch, h, w, b * b * channels] to [batch, b * h, b * w, channels].
const depthToSpace: Lowering = (call, build) => {
  const x = call.input("x");
  const output = call.output();
  const block = readNumber(call, "blockSize");
  const format = readAttribute(call, "dataFormat");
  const [batch, height, width] = x.sizes;
  const channels = output.sizes[3];
  if (format !== "NHWC") throw new UnsupportedKernel(`its data format is ${JSON.stringify(format)}, not NHWC`);
  if (batch === undefined || height === undefined || width === undefined || channels === undefined)
    throw new UnsupportedKernel("its argument is not of rank 4");
  const cut = build.reshape(x, [batch, height, width, staticSize(block), staticSize(block), channels]);
  return [build.reshape(transpose(build, cut, [0, 1, 3, 2, 4, 5]), output.sizes)];
};

/** Kernels that move blocks of space into another axis; in every format a transposition between two reshapes. */
export const blockLowerings: Lowerings = {
  SpaceToBatchND: spaceToBatch,
  BatchToSpaceND: batchToSpace,
  DepthToSpace: depthToSpace,
};
