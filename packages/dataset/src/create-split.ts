import { createHash } from "node:crypto";

import {
  type Batch,
  serializeCanonicalJson,
  type Split,
  type SplitRole,
  type TensorData,
  type TensorSpec,
} from "@ckpt/manifest";

import { createMemoryRows } from "./memory-rows.js";
import type { RowValues, Values } from "./row-values.js";

/** All tensors of a split. */
export interface SplitContents {
  readonly role: SplitRole;
  readonly rowCount: number;
  readonly inputs: readonly { readonly spec: TensorSpec; readonly rows: RowValues }[];
  /** Class indices (int32), or `outputs` regression targets a row (float32). */
  readonly labels: { readonly values: Values; readonly outputs?: number };
  readonly classes?: readonly string[];
  /** Texts by column; not in the digest. */
  readonly columns?: NonNullable<Split["columns"]>;
}

/**
 * Makes the split whose batches are cut out of these rows. Its name is its role. Rows that are not in memory are read once
 * for the digest.
 */
export async function createSplit(contents: SplitContents): Promise<Split> {
  const { role, rowCount, inputs, labels, classes, columns = {} } = contents;
  const labelShape = labels.outputs === undefined ? [] : [labels.outputs];
  const labelRows = createMemoryRows(labels.values, labels.outputs ?? 1);

  const takeBatch = async (batchRows: number, take: (rows: RowValues) => Promise<Values>): Promise<Batch> => {
    const taken: Record<string, TensorData> = {};
    for (const { spec, rows } of inputs) {
      const rowShape = spec.shape.slice(1).map((size) => size ?? 1);
      taken[spec.name] = { data: await take(rows), shape: [batchRows, ...rowShape] };
    }
    return {
      rowCount: batchRows,
      inputs: taken,
      labels: { data: await take(labelRows), shape: [batchRows, ...labelShape] },
    };
  };

  return {
    name: role,
    role,
    rowCount,
    digest: await digestContents(contents),
    inputs: inputs.map(({ spec }) => spec),
    ...(classes === undefined ? {} : { classes }),
    ...(Object.keys(columns).length === 0 ? {} : { columns }),

    async read(start, end) {
      if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= rowCount)) {
        throw new RangeError(`rows ${start} to ${end} are not within 0 to ${rowCount}`);
      }
      return takeBatch(end - start, (rows) => rows.read(start, end));
    },

    async gather(indices) {
      for (let at = 0; at < indices.length; at++) {
        const index = indices[at];
        if (!(Number.isInteger(index) && 0 <= index! && index! < rowCount)) {
          throw new RangeError(`row ${index} is not within 0 to ${rowCount - 1}`);
        }
      }
      return takeBatch(indices.length, (rows) => rows.gather(indices));
    },
  };
}

/**
 * SHA-256 over a line of canonical JSON (row count, input specs, outputs, classes), then the bytes of every input in
 * the order of the specs, then those of the labels; little-endian. Neither the role nor any file is in it.
 */
async function digestContents({ rowCount, inputs, labels, classes }: SplitContents): Promise<string> {
  const header = { rowCount, inputs: inputs.map(({ spec }) => spec), outputs: labels.outputs, classes };
  const hash = createHash("sha256").update(`${serializeCanonicalJson(header)}\n`);
  const update = ({ buffer, byteOffset, byteLength }: Values): void => {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  };
  for (const { rows } of inputs) {
    for await (const piece of rows.pieces()) update(piece);
  }
  update(labels.values);
  return hash.digest("hex");
}
