import { hash } from "node:crypto";

import type { Batch, Split } from "@ckpt/manifest";

/** That rows of one split are in another one too. */
export interface SharedRows {
  readonly splits: readonly [string, string];
  /** Rows of the first that the second has. */
  readonly sharedRows: number;
  /** Rows of the first. */
  readonly rowCount: number;
}

const rowsPerRead = 4096;

/**
 * Looks for rows of equal inputs in two splits, whatever their labels: test rows in all others first, then select,
 * validation and train rows. Rows are compared by 48 bits of their SHA-256, 8 bytes a row in memory.
 *
 * @returns The pairs that share rows.
 */
export async function findSharedRows(splits: readonly Split[]): Promise<readonly SharedRows[]> {
  const order = ["test", "select", "validation", "train"];
  const ordered = splits.toSorted((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
  const digests: Float64Array[] = [];
  for (const split of ordered) digests.push(await digestRows(split));
  return ordered.flatMap((first, index) =>
    ordered.slice(index + 1).flatMap((second, offset): readonly SharedRows[] => {
      const sharedRows = countShared(digests[index] ?? none, digests[index + 1 + offset] ?? none);
      return sharedRows === 0 ? [] : [{ splits: [first.name, second.name], sharedRows, rowCount: first.rowCount }];
    }),
  );
}

const none = new Float64Array();

/** Sorted. */
async function digestRows(split: Split): Promise<Float64Array> {
  const digests = new Float64Array(split.rowCount);
  for (let start = 0; start < split.rowCount; start += rowsPerRead) {
    const batch = await split.read(start, Math.min(start + rowsPerRead, split.rowCount));
    for (let row = 0; row < batch.rowCount; row++) digests[start + row] = digestRow(batch, row, split);
  }
  return digests.toSorted();
}

function digestRow({ rowCount, inputs }: Batch, row: number, split: Split): number {
  const parts = split.inputs.map(({ name }) => {
    const { data } = inputs[name] ?? { data: none };
    const bytes = data.byteLength / rowCount;
    return new Uint8Array(data.buffer, data.byteOffset + row * bytes, bytes);
  });
  const [only] = parts;
  const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  return Number.parseInt(hash("sha256", bytes, "hex").slice(0, 12), 16);
}

/** Values of the first that are in the second; both sorted. */
function countShared(first: Float64Array, second: Float64Array): number {
  let at = 0;
  let count = 0;
  for (const value of first) {
    while (at < second.length && (second[at] ?? 0) < value) at++;
    count += Number(second[at] === value);
  }
  return count;
}
