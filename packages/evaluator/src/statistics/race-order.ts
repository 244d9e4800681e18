import { digestBytes } from "@ckpt/manifest";

import { createRandom } from "./random.js";

/**
 * The order that a race reads rows in: a random permutation that follows from the digest of the data alone, so that no
 * seed can be tried until a favourite wins.
 */
export function orderRows(rowCount: number, dataDigest: string): Uint32Array {
  const random = createRandom(Number.parseInt(digestBytes(`ckpt-order-v1 ${dataDigest}`).slice(0, 8), 16));
  const order = Uint32Array.from({ length: rowCount }, (_, row) => row);
  for (let last = rowCount - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
  return order;
}
