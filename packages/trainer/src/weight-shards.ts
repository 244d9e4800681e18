import { CkptError } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

/** A file with a part of a model's weights: the bytes from `startByte` (inclusive) to `endByte` (exclusive). */
export interface WeightShard {
  readonly path: string;
  readonly startByte: number;
  readonly endByte: number;
}

/** Half of what Node reads from a file at once, and few files for any model that fits into memory. */
export const defaultMaxShardSizeBytes: number = 1 << 30;

/** Bytes an element takes as stored; strings, each of its own length, are not among them. */
const elementSizes: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/**
 * Adds up the bytes that weights take as stored, one after the other.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE for strings, which no layer has as weights.
 */
export function sizeWeights(specs: readonly tf.io.WeightsManifestEntry[]): number {
  return specs.reduce((total, { name, dtype, shape, quantization }) => {
    const stored = quantization?.dtype ?? dtype;
    const elementSize = elementSizes[stored];
    if (elementSize === undefined) {
      throw new CkptError("UNSUPPORTED_DTYPE", { where: name, dtype: stored, supported: Object.keys(elementSizes) });
    }
    return total + shape.reduce((size, length) => size * length, elementSize);
  }, 0);
}

/** Joins what a save handler is given: one buffer, or since TensorFlow.js 4 a list of them. */
export function joinWeightData(weightData: tf.io.WeightData): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(weightData)) return new Uint8Array(weightData);
  const joined = new Uint8Array(weightData.reduce((size, { byteLength }) => size + byteLength, 0));
  let offset = 0;
  for (const buffer of weightData) {
    joined.set(new Uint8Array(buffer), offset);
    offset += buffer.byteLength;
  }
  return joined;
}

/**
 * Cuts weights into `weights.bin`, or into `weights-00001-of-00003.bin` and so on where they are larger than a shard may
 * be. All are of equal size but the last, which is not longer: the http loader of TensorFlow.js 4.22 reads zeros from a
 * file that is longer than the one before it.
 */
export function cutWeights(sizeBytes: number, maxShardSizeBytes: number): readonly WeightShard[] {
  const count = Math.ceil(sizeBytes / maxShardSizeBytes);
  if (count <= 1) return [{ path: "weights.bin", startByte: 0, endByte: sizeBytes }];
  return Array.from({ length: count }, (_, index) => ({
    path: `weights-${pad(index + 1)}-of-${pad(count)}.bin`,
    startByte: index * maxShardSizeBytes,
    endByte: Math.min((index + 1) * maxShardSizeBytes, sizeBytes),
  }));
}

function pad(number: number): string {
  return String(number).padStart(5, "0");
}
