import type { TensorValues } from "@ckpt/graph";
import { CkptError, dtypes } from "@ckpt/manifest";

import { tf } from "#tfjs";

/** A weight as it stands in a saved model. */
export interface SavedWeight {
  /** TensorFlow.js's name for it. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** Bytes per element, as stored. */
const elementSizes: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/**
 * Reads weights out of joined shards, by name and without a model. Optimizer weights, which `model.save` may put behind
 * the model's own, are left out. Plain weights are views of `bytes`; quantized ones are expanded.
 *
 * @param path - Named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when the bytes are more or less than the specs need; UNSUPPORTED_DTYPE for a
 *   string or complex weight.
 */
export function decodeSavedWeights(
  bytes: Uint8Array<ArrayBuffer>,
  specs: readonly tf.io.WeightsManifestEntry[],
  path: string,
): ReadonlyMap<string, SavedWeight> {
  let offset = 0;
  const slices = specs.map((spec) => {
    const start = offset;
    offset += storedSize(spec, path);
    return { spec, slice: bytes.subarray(start, offset) };
  });
  if (offset !== bytes.byteLength) {
    const reason = `its weights need ${offset} bytes, its shards have ${bytes.byteLength}`;
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy: "Save the model again, or restore its shards." });
  }
  return new Map(
    slices
      .filter(({ spec }) => spec.group !== "optimizer")
      .map(({ spec, slice }) => {
        const { name, dtype, shape } = spec;
        return [name, { name, dtype, shape, values: decodeValues(spec, slice) }];
      }),
  );
}

function storedSize({ name, dtype, shape, quantization }: tf.io.WeightsManifestEntry, path: string): number {
  const size = elementSizes[quantization?.dtype ?? dtype];
  if (size === undefined) {
    const supported = dtypes.filter((supported) => supported !== "string");
    throw new CkptError("UNSUPPORTED_DTYPE", { where: `${path}: weight ${name}`, dtype, supported });
  }
  return size * tf.util.sizeFromShape(shape);
}

function decodeValues(spec: tf.io.WeightsManifestEntry, bytes: Uint8Array<ArrayBuffer>): TensorValues {
  if (spec.quantization !== undefined) return dequantize(spec, bytes);
  if (spec.dtype === "bool") return bytes;
  // A bool weight in front may leave the others on an address that is no multiple of their size.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return spec.dtype === "int32"
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Float32Array(buffer, byteOffset, byteLength / 4);
}

function dequantize(spec: tf.io.WeightsManifestEntry, bytes: Uint8Array<ArrayBuffer>): TensorValues {
  const tensors = tf.io.decodeWeights(bytes.slice().buffer, [spec]);
  const values = tensors[spec.name]?.dataSync() ?? new Float32Array();
  tf.dispose(tensors);
  return values;
}
