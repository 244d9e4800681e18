import { dirname } from "node:path";

import { CkptError, type FileSystem, nodeFileSystem, replaceFile } from "@ckpt/manifest";

import { writeBundleEntry } from "./bundle-entry.js";
import { writeBundleHeader } from "./bundle-header.js";
import { encodeKey } from "./byte-key.js";
import { dataPath, indexPath } from "./checkpoint-files.js";
import { crc32c, maskCrc } from "./crc32c.js";
import { serializeStrings } from "./string-values.js";
import type { TableEntry } from "./table-block.js";
import { writeTable } from "./table-writer.js";
import { countValues } from "./tensor-shape.js";
import { fixedStorages, type TensorValue } from "./tensor-value.js";

/** Where a checkpoint is written. */
export interface WriteBundleOptions {
  /** Default: the machine's own. */
  readonly fileSystem?: FileSystem;
}

/**
 * Writes a V2 checkpoint with one data file, which TensorFlow reads as its own; the folder is made if needed. The data
 * come first and the index last, each flushed and then renamed: without its index a checkpoint does not exist, so a
 * process that dies leaves a whole one or none. Equal tensors in an equal order give equal bytes. Holds all values in
 * memory a second time.
 *
 * Keys are the names as they are, which is what a v1 `Saver` and `tf.train.load_checkpoint` look for; for
 * `tf.train.Checkpoint` give it what `nameAsObjects` returns. `recordCheckpoint` adds it to the `checkpoint` file.
 *
 * @throws {CkptError} INVALID_OPTION for a name that cannot be one or values that do not fit their shape; TARGET_EXISTS;
 *   FILE_SYSTEM.
 */
export async function writeBundle(
  prefix: string,
  tensors: ReadonlyMap<string, TensorValue>,
  options: WriteBundleOptions = {},
): Promise<void> {
  const { fileSystem = nodeFileSystem } = options;
  const { index, data } = serializeBundle(tensors);
  await fileSystem.makeFolder(dirname(prefix));
  if (await fileSystem.exists(indexPath(prefix))) throw new CkptError("TARGET_EXISTS", { path: indexPath(prefix) });
  await replaceFile(dataPath(prefix, 0, 1), data, fileSystem);
  await replaceFile(indexPath(prefix), index, fileSystem);
}

interface SerializedTensor {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

function serializeBundle(tensors: ReadonlyMap<string, TensorValue>): { index: Uint8Array; data: Uint8Array } {
  const parts: Uint8Array[] = [];
  const entries: TableEntry[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    checkTensor(name, tensor);
    const { bytes, crc } = serializeTensor(tensor);
    const { dtype, shape } = tensor;
    const value = writeBundleEntry({ dtype, shape, offset, sizeBytes: bytes.length, crc: maskCrc(crc) });
    entries.push({ key: encodeKey(name), value });
    parts.push(bytes);
    offset += bytes.length;
  }
  const data = new Uint8Array(offset);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  return { index: writeTable([{ key: "", value: writeBundleHeader() }, ...entries]), data };
}

function checkTensor(name: string, { dtype, shape, values }: TensorValue): void {
  // What begins with this byte is the key of a slice, and the empty key is the header's.
  if (name === "" || name.startsWith("\0") || /\p{Surrogate}/u.test(name)) {
    const expected = "a name that is not empty, well-formed, and does not begin with a NUL";
    throw new CkptError("INVALID_OPTION", { option: "tensors", expected, found: JSON.stringify(name) });
  }
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    const found = `[${shape.join(", ")}]`;
    throw new CkptError("INVALID_OPTION", { option: `tensors: ${name}`, expected: "a shape of sizes from 0", found });
  }
  const width = dtype === "string" ? 1 : fixedStorages[dtype].width;
  if (values.length !== countValues(shape) * width) {
    const expected = `${countValues(shape) * width} values for the shape [${shape.join(", ")}]`;
    throw new CkptError("INVALID_OPTION", { option: `tensors: ${name}`, expected, found: String(values.length) });
  }
}

function serializeTensor(tensor: TensorValue): SerializedTensor {
  if (tensor.dtype === "string") return serializeStrings(tensor.values);
  const { buffer, byteOffset, byteLength } = tensor.values;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return { bytes, crc: crc32c(bytes) };
}
