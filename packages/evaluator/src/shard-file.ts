import { digestBytes, serializeCanonicalJson, type TensorSpec } from "@ckpt/manifest";

import { encodeValues } from "./predictions.js";
import type { ShardRows } from "./score-shard.js";

/** A shard as its file has it. */
export interface StoredShard {
  readonly rowCount: number;
  readonly output: TensorSpec;
  readonly labelSpec: TensorSpec;
  /** Values as the committed files have them. */
  readonly predictions: Uint8Array;
  readonly labels: Uint8Array;
}

interface ShardHeader extends Pick<StoredShard, "rowCount" | "output" | "labelSpec"> {
  /** Of all that decides the predictions. */
  readonly key: string;
  readonly shard: number;
  readonly predictionBytes: number;
}

const digestLength = 64;

/**
 * The bytes of a shard's file: a line with the SHA-256 of the rest, a line of JSON that says what it is, then the
 * predictions and the labels as the committed files have them.
 */
export function encodeShard(key: string, shard: number, rows: ShardRows): Uint8Array {
  const stored = storeShard(rows);
  const { rowCount, output, labelSpec, predictions, labels } = stored;
  const header: ShardHeader = { key, shard, rowCount, output, labelSpec, predictionBytes: predictions.byteLength };
  const rest = Buffer.concat([Buffer.from(`${serializeCanonicalJson(header)}\n`), predictions, labels]);
  return Buffer.concat([Buffer.from(`${digestBytes(rest)}\n`), rest]);
}

/** The rows with their values as bytes. */
export function storeShard({ rowCount, output, labelSpec, predictions, labels }: ShardRows): StoredShard {
  return { rowCount, output, labelSpec, predictions: encodeValues(predictions), labels: encodeValues(labels) };
}

/** The reverse of {@link encodeShard}; `undefined` when any byte differs, or it is another shard. */
export function decodeShard(key: string, shard: number, bytes: Uint8Array): StoredShard | undefined {
  const rest = bytes.subarray(digestLength + 1);
  if (Buffer.from(bytes.subarray(0, digestLength + 1)).toString("latin1") !== `${digestBytes(rest)}\n`)
    return undefined;
  const headerEnd = rest.indexOf(0x0a);
  // The digest has shown that these are the bytes that were written.
  const header = JSON.parse(Buffer.from(rest.subarray(0, headerEnd)).toString()) as ShardHeader;
  if (header.key !== key || header.shard !== shard) return undefined;
  const { rowCount, output, labelSpec, predictionBytes } = header;
  const values = rest.subarray(headerEnd + 1);
  return {
    rowCount,
    output,
    labelSpec,
    predictions: values.subarray(0, predictionBytes),
    labels: values.subarray(predictionBytes),
  };
}
