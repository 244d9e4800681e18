import { digestBytes, type Split, type TensorData, type TensorSpec } from "@ckpt/manifest";

import { createRandom } from "../src/statistics/random.js";

export interface MadeSplit extends Split {
  readonly features: Float32Array;
  readonly labels: Int32Array | Float32Array;
}

/** A split in memory: rows `[rows, width]` of one input, read as views and gathered as copies. */
export function makeSplit(
  features: Float32Array,
  width: number,
  labels: Int32Array | Float32Array,
  overrides: Partial<Split> = {},
): MadeSplit {
  const rowCount = features.length / width;
  const labelWidth = labels.length / rowCount;
  const inputs: readonly TensorSpec[] = [{ name: "features", dtype: "float32", shape: [null, width] }];
  const split: MadeSplit = {
    name: "select",
    role: "select",
    rowCount,
    digest: digestBytes(
      Buffer.concat([new Uint8Array(features.slice().buffer), new Uint8Array(labels.slice().buffer)]),
    ),
    inputs,
    features,
    labels,
    read: (start, end) => {
      const input: TensorData = { data: features.subarray(start * width, end * width), shape: [end - start, width] };
      return Promise.resolve({
        rowCount: end - start,
        inputs: { [split.inputs[0]?.name ?? ""]: input },
        labels: {
          data: labels.subarray(start * labelWidth, end * labelWidth),
          shape: labels instanceof Int32Array ? [end - start] : [end - start, labelWidth],
        },
      });
    },
    gather: (indices) => {
      const rows = Array.from(indices);
      const pick = <Values extends Float32Array | Int32Array>(values: Values, size: number): Values => {
        const picked = values.slice(0, rows.length * size) as Values;
        for (const [to, from] of rows.entries()) picked.set(values.subarray(from * size, (from + 1) * size), to * size);
        return picked;
      };
      return Promise.resolve({
        rowCount: rows.length,
        inputs: { [split.inputs[0]?.name ?? ""]: { data: pick(features, width), shape: [rows.length, width] } },
        labels: {
          data: pick(labels, labelWidth),
          shape: labels instanceof Int32Array ? [rows.length] : [rows.length, labelWidth],
        },
      });
    },
    ...overrides,
  };
  return split;
}

/** Rows of four features with labels of three classes, the same for the same seed. */
export function makeClassSplit(rowCount: number, overrides: Partial<Split> = {}, seed = 1): MadeSplit {
  const random = createRandom(seed);
  const features = Float32Array.from({ length: rowCount * 4 }, () => random() * 4 - 2);
  const labels = Int32Array.from({ length: rowCount }, () => Math.floor(random() * 3));
  return makeSplit(features, 4, labels, { classes: ["a", "b", "c"], ...overrides });
}
