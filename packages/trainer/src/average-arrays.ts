import { CkptError } from "@ckpt/manifest";

import type { ArraySpec, NamedArray } from "./named-array.js";

/** The weights of one checkpoint, and the folder they are from, which errors name. */
export interface ParentWeights {
  readonly path: string;
  readonly arrays: readonly NamedArray[];
}

/**
 * Means of corresponding arrays, by place, with the names of the last parent. float32 is summed in float64 and rounded
 * once, at the end. int32 and bool, of which there is no mean of the same type, are taken from the last parent. Parents
 * are asked for one after the other, so that the sums and one parent are all that has to be in memory.
 *
 * @throws {CkptError} WEIGHTS_MISMATCH when a parent has other arrays than the first one.
 * @throws {TypeError} When there are no parents.
 */
export async function averageArrays(
  parents: Iterable<ParentWeights> | AsyncIterable<ParentWeights>,
): Promise<readonly NamedArray[]> {
  let sums: readonly (Float64Array | undefined)[] | undefined;
  let first: readonly ArraySpec[] = [];
  // Of the last parent: names, and what no mean is taken of.
  let last: readonly (NamedArray | ArraySpec)[] = [];
  let count = 0;
  for await (const { path, arrays } of parents) {
    if (sums === undefined) {
      first = arrays.map(toSpec);
      sums = arrays.map(({ dtype, data }) => (dtype === "float32" ? new Float64Array(data.length) : undefined));
    }
    requireSameSpecs(first, arrays, path);
    for (const [index, { data }] of arrays.entries()) addTo(sums[index], data);
    last = arrays.map((array) => (array.dtype === "float32" ? toSpec(array) : array));
    count++;
  }
  if (sums === undefined) throw new TypeError("there is nothing to average");
  return last.map((array, index) => {
    if ("data" in array) return array;
    const { name, dtype, shape } = array;
    return { name, dtype, shape, data: divide(sums?.[index] ?? new Float64Array(), count) };
  });
}

function toSpec({ name, dtype, shape }: ArraySpec): ArraySpec {
  return { name, dtype, shape };
}

function divide(sum: Float64Array, count: number): Float32Array {
  const mean = new Float32Array(sum.length);
  for (let index = 0; index < sum.length; index++) mean[index] = (sum[index] ?? 0) / count;
  return mean;
}

function addTo(sum: Float64Array | undefined, data: NamedArray["data"]): void {
  if (sum === undefined) return;
  for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] ?? 0) + (data[index] ?? 0);
}

function requireSameSpecs(expected: readonly ArraySpec[], found: readonly ArraySpec[], path: string): void {
  for (let index = 0; index < Math.max(expected.length, found.length); index++) {
    const [one, other] = [describeSpec(expected[index]), describeSpec(found[index])];
    if (one === other) continue;
    const weight = found[index]?.name ?? expected[index]?.name ?? "";
    throw new CkptError("WEIGHTS_MISMATCH", { path, weight, expected: one, found: other });
  }
}

function describeSpec(spec: ArraySpec | undefined): string {
  return spec === undefined ? "nothing" : `${spec.dtype} [${spec.shape.join(", ")}]`;
}
