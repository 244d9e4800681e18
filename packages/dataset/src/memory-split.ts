import { createHash } from "node:crypto";

import {
  type Batch,
  serializeCanonicalJson,
  type Split,
  type SplitRole,
  type TensorData,
  type TensorSpec,
} from "@ckpt/manifest";

/** A tensor's values in memory, row-major. */
type Values = Float32Array | Int32Array;

/** All tensors of a split. */
export interface MemorySplitContents {
  readonly role: SplitRole;
  readonly rowCount: number;
  readonly inputs: readonly { readonly spec: TensorSpec; readonly values: Values }[];
  /** Class indices (int32), or `outputs` regression targets a row (float32). */
  readonly labels: { readonly values: Values; readonly outputs?: number };
  readonly classes?: readonly string[];
  /** Texts by column; not in the digest. */
  readonly columns?: NonNullable<Split["columns"]>;
}

/** Makes the split whose batches are cut out of tensors in memory. Its name is its role. */
export function createMemorySplit(contents: MemorySplitContents): Split {
  const { role, rowCount, inputs, labels, classes, columns = {} } = contents;
  const labelShape = labels.outputs === undefined ? [] : [labels.outputs];

  const takeBatch = (batchRows: number, take: (values: Values, width: number) => Values): Batch => {
    const takeTensor = (values: Values, rowShape: readonly number[]): TensorData => ({
      data: take(
        values,
        rowShape.reduce((product, size) => product * size, 1),
      ),
      shape: [batchRows, ...rowShape],
    });
    return {
      rowCount: batchRows,
      inputs: Object.fromEntries(inputs.map(({ spec, values }) => [spec.name, takeTensor(values, rowShapeOf(spec))])),
      labels: takeTensor(labels.values, labelShape),
    };
  };

  return {
    name: role,
    role,
    rowCount,
    digest: digestContents(contents),
    inputs: inputs.map(({ spec }) => spec),
    ...(classes === undefined ? {} : { classes }),
    ...(Object.keys(columns).length === 0 ? {} : { columns }),

    async read(start, end) {
      if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= rowCount)) {
        throw new RangeError(`rows ${start} to ${end} are not within 0 to ${rowCount}`);
      }
      return takeBatch(end - start, (values, width) => values.subarray(start * width, end * width));
    },

    async gather(indices) {
      for (let at = 0; at < indices.length; at++) {
        const index = indices[at];
        if (!(Number.isInteger(index) && 0 <= index! && index! < rowCount)) {
          throw new RangeError(`row ${index} is not within 0 to ${rowCount - 1}`);
        }
      }
      return takeBatch(indices.length, (values, width) => gatherRows(values, width, indices));
    },
  };
}

function gatherRows(values: Values, width: number, indices: ArrayLike<number>): Values {
  const size = indices.length * width;
  const gathered = values instanceof Float32Array ? new Float32Array(size) : new Int32Array(size);
  for (let at = 0; at < indices.length; at++) {
    const from = indices[at]! * width;
    gathered.set(values.subarray(from, from + width), at * width);
  }
  return gathered;
}

const rowShapeOf = (spec: TensorSpec): readonly number[] => spec.shape.slice(1).map((size) => size ?? 1);

/**
 * SHA-256 over a line of canonical JSON (row count, input specs, outputs, classes), then the bytes of every input in
 * the order of the specs, then those of the labels; little-endian. Neither the role nor any file is in it.
 */
function digestContents({ rowCount, inputs, labels, classes }: MemorySplitContents): string {
  const header = { rowCount, inputs: inputs.map(({ spec }) => spec), outputs: labels.outputs, classes };
  const hash = createHash("sha256").update(`${serializeCanonicalJson(header)}\n`);
  for (const { values } of [...inputs, labels]) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
