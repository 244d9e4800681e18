import { checkCover, startAssembly } from "./assemble-slices.js";
import { type BundleEntry, readBundleEntry } from "./bundle-entry.js";
import { readBundleHeader } from "./bundle-header.js";
import { type ByteKey, encodeKey } from "./byte-key.js";
import { dataPath, indexPath } from "./checkpoint-files.js";
import { checkReadable, type CheckpointReader, missingTensor } from "./checkpoint-reader.js";
import { crc32c, maskCrc } from "./crc32c.js";
import { damaged } from "./damaged.js";
import { decodeKey } from "./key-name.js";
import { openFile, type RandomAccessFile } from "./random-access-file.js";
import { parseStrings } from "./string-values.js";
import { openTable, type Table } from "./table-reader.js";
import { countValues } from "./tensor-shape.js";
import { encodeSliceKey, placeSlice } from "./tensor-slice.js";
import { asTensor, fixedStorages, type TensorDtype, type TensorValue, valueBytes } from "./tensor-value.js";

/** Entries of slices have keys in the ordered code, which begin with this byte; no variable has such a name. */
const slicePrefix = "\0";

/**
 * Opens a V2 checkpoint, whose index file is `file`: reads the index and closes it.
 *
 * @throws {CkptError} BUNDLE_INVALID; MODEL_UNREADABLE for a compressed, a big-endian or a newer one; FILE_SYSTEM.
 */
export async function openV2Bundle(prefix: string, file: RandomAccessFile): Promise<CheckpointReader> {
  const table = await openTable(file);
  try {
    return createReader(prefix, await readEntries(table));
  } finally {
    await table.close();
  }
}

interface BundleIndex {
  readonly shardCount: number;
  /** Tensors and slices. */
  readonly entries: ReadonlyMap<ByteKey, BundleEntry>;
}

async function readEntries(table: Table): Promise<BundleIndex> {
  let shardCount: number | undefined;
  const entries = new Map<ByteKey, BundleEntry>();
  for await (const { key, value } of table.entries()) {
    if (shardCount === undefined) {
      if (key !== "") throw damaged(table.path, "its first entry is not the header");
      shardCount = readBundleHeader(value, table.path);
    } else {
      const entry = readBundleEntry(value, table.path);
      if (entry.shard >= shardCount) throw damaged(table.path, `data file ${entry.shard} of ${shardCount}`);
      entries.set(key, entry);
    }
  }
  if (shardCount === undefined) throw damaged(table.path, "it has no entries");
  return { shardCount, entries };
}

function createReader(prefix: string, { shardCount, entries }: BundleIndex): CheckpointReader {
  const shards = new Map<number, Promise<RandomAccessFile>>();
  const openShard = (shard: number): Promise<RandomAccessFile> => {
    const opened = shards.get(shard) ?? openDataFile(dataPath(prefix, shard, shardCount));
    shards.set(shard, opened);
    return opened;
  };
  const names = [...entries].filter(([key]) => !key.startsWith(slicePrefix));
  return {
    prefix,
    format: "bundle",
    entries: new Map(names.map(([key, { dtype, shape }]) => [decodeKey(key, indexPath(prefix)), { dtype, shape }])),
    read: async (name) => {
      const key = encodeKey(name);
      const entry = key.startsWith(slicePrefix) ? undefined : entries.get(key);
      if (entry === undefined) throw missingTensor(prefix, name);
      const dtype = checkReadable(entry.dtype, `${prefix}: ${name}`);
      if (entry.slices.length === 0) return readWhole(entry, dtype, name, await openShard(entry.shard));
      return readSlices(findParts(prefix, key, entry, entries), { ...entry, dtype, name }, openShard);
    },
    close: async () => {
      const opened = await Promise.allSettled(shards.values());
      for (const result of opened) if (result.status === "fulfilled") await result.value.close();
    },
  };
}

async function openDataFile(path: string): Promise<RandomAccessFile> {
  const file = await openFile(path);
  if (file === undefined) throw damaged(path, "no such file, though the index names it");
  return file;
}

async function readWhole(
  entry: BundleEntry,
  dtype: TensorDtype,
  name: string,
  file: RandomAccessFile,
): Promise<TensorValue> {
  checkSize(entry, dtype, name, file.path);
  const count = countValues(entry.shape);
  const check = (crc: number): void => {
    if (maskCrc(crc) !== entry.crc) throw damaged(file.path, `the checksum of ${name} does not match`);
  };
  if (dtype === "string") {
    const strings = parseStrings(await file.read(entry.offset, entry.sizeBytes), count, file.path);
    check(strings.crc);
    return asTensor(dtype, entry.shape, strings.values);
  }
  let crc = 0;
  const bytes = await file.read(entry.offset, entry.sizeBytes, (chunk) => {
    crc = crc32c(chunk, crc);
  });
  check(crc);
  const { Array, width } = fixedStorages[dtype];
  return asTensor(dtype, entry.shape, new Array(bytes.buffer, 0, count * width));
}

function checkSize({ shape, sizeBytes }: BundleEntry, dtype: TensorDtype, name: string, path: string): void {
  if (dtype === "string") return;
  const expected = countValues(shape) * valueBytes(dtype);
  if (sizeBytes !== expected) throw damaged(path, `${name}: ${sizeBytes} bytes where its shape needs ${expected}`);
}

interface Part {
  readonly starts: readonly number[];
  readonly shape: readonly number[];
  readonly entry: BundleEntry;
}

/** The entries of a tensor's slices, with where each belongs. */
function findParts(
  prefix: string,
  key: ByteKey,
  whole: BundleEntry,
  entries: ReadonlyMap<ByteKey, BundleEntry>,
): readonly Part[] {
  const path = indexPath(prefix);
  const parts = whole.slices.map((slice) => {
    const placed = placeSlice(slice, whole.shape, path);
    const entry = entries.get(encodeSliceKey(key, slice));
    if (entry === undefined) throw damaged(path, `a slice of ${decodeKey(key, path)} is missing`);
    const isSame = entry.dtype === whole.dtype && entry.shape.join() === placed.shape.join();
    if (!isSame) throw damaged(path, `a slice of ${decodeKey(key, path)} has another dtype or shape`);
    return { ...placed, entry };
  });
  checkCover(parts, whole.shape, path);
  return parts;
}

async function readSlices(
  parts: readonly Part[],
  { dtype, shape, name }: { readonly dtype: TensorDtype; readonly shape: readonly number[]; readonly name: string },
  openShard: (shard: number) => Promise<RandomAccessFile>,
): Promise<TensorValue> {
  // Before memory is taken: slices that share bytes could make any tensor out of a small file.
  const leftBytes = new Map<string, number>();
  for (const { entry } of parts) {
    const { path, sizeBytes } = await openShard(entry.shard);
    checkSize(entry, dtype, name, path);
    const left = (leftBytes.get(path) ?? sizeBytes) - entry.sizeBytes;
    if (left < 0 || countValues(entry.shape) > sizeBytes) throw damaged(path, `slices of ${name} larger than the file`);
    leftBytes.set(path, left);
  }
  const assembly = startAssembly(dtype, shape);
  for (const part of parts) {
    const { values } = await readWhole(part.entry, dtype, name, await openShard(part.entry.shard));
    assembly.place(part, values);
  }
  return assembly.tensor;
}
