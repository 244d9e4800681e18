import { CkptError } from "@ckpt/manifest";

import type { ByteKey } from "./byte-key.js";
import { ByteReader } from "./byte-reader.js";
import { crc32c, maskCrc } from "./crc32c.js";
import { damaged } from "./damaged.js";
import type { RandomAccessFile } from "./random-access-file.js";
import { parseBlock, type TableEntry } from "./table-block.js";
import { footerBytes, tableMagic, trailerBytes } from "./table-format.js";

/** A sorted table of keys and values in one file, as LevelDB has them: blocks, an index of them, a footer. */
export interface Table {
  readonly path: string;
  /** All entries in the order of their keys, one block in memory at a time. */
  entries(): AsyncGenerator<TableEntry>;
  /** The value of a key; the block it is in stays in memory until another is needed. */
  find(key: ByteKey): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Reads the index of a table. `file` is the table's from here on and closed with it, also if this fails.
 *
 * @throws {CkptError} BUNDLE_INVALID, as all methods of the table; MODEL_UNREADABLE for a compressed one; FILE_SYSTEM.
 */
export async function openTable(file: RandomAccessFile): Promise<Table> {
  try {
    const blocks = await readIndex(file);
    return createTable(file, blocks);
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface IndexedBlock extends BlockHandle {
  /** No key of the block is greater, every key of the next is. */
  readonly limit: ByteKey;
}

function createTable(file: RandomAccessFile, blocks: readonly IndexedBlock[]): Table {
  let kept: { readonly block: IndexedBlock; readonly entries: ReadonlyMap<ByteKey, Uint8Array> } | undefined;
  const read = async (block: IndexedBlock, index: number): Promise<readonly TableEntry[]> => {
    const entries = parseBlock(await readBlock(file, block), file.path);
    const before = blocks[index - 1]?.limit;
    const isOutside = entries.some(({ key }) => key > block.limit || (before !== undefined && key <= before));
    if (isOutside) throw damaged(file.path, "a block holds a key that the index has in another");
    return entries;
  };
  return {
    path: file.path,
    entries: async function* () {
      for (const [index, block] of blocks.entries()) yield* await read(block, index);
    },
    find: async (key) => {
      const index = findBlock(blocks, key);
      const block = blocks[index];
      if (block === undefined) return undefined;
      if (kept?.block !== block) {
        kept = { block, entries: new Map((await read(block, index)).map((entry) => [entry.key, entry.value])) };
      }
      return kept.entries.get(key);
    },
    close: () => file.close(),
  };
}

/** Index of the first block whose limit is not below the key. */
function findBlock(blocks: readonly IndexedBlock[], key: ByteKey): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle]!.limit < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function readIndex(file: RandomAccessFile): Promise<readonly IndexedBlock[]> {
  if (file.sizeBytes < footerBytes) throw damaged(file.path, "shorter than a table's footer");
  const footer = await file.read(file.sizeBytes - footerBytes, footerBytes);
  if (!tableMagic.every((byte, at) => byte === footer[footerBytes - tableMagic.length + at])) {
    throw damaged(file.path, "it does not end as a table does: it is cut off or another kind of file");
  }
  const reader = new ByteReader(footer.subarray(0, footerBytes - tableMagic.length), file.path);
  // The first handle is of the metaindex, which holds nothing in TensorFlow's tables.
  readHandle(reader);
  const index = parseBlock(await readBlock(file, readHandle(reader)), file.path);
  const blocks = index.map(({ key, value }) => {
    const { offset, size } = readHandle(new ByteReader(value, file.path));
    return { limit: key, offset, size };
  });
  // Blocks that overlap could make a small file take any time to read.
  let end = 0;
  for (const { offset, size } of blocks) {
    if (offset < end) throw damaged(file.path, "its blocks overlap");
    end = offset + size + trailerBytes;
  }
  return blocks;
}

function readHandle(reader: ByteReader): BlockHandle {
  return { offset: reader.readSize(), size: reader.readSize() };
}

async function readBlock(file: RandomAccessFile, { offset, size }: BlockHandle): Promise<Uint8Array> {
  const bytes = await file.read(offset, size + trailerBytes);
  const expected = new ByteReader(bytes.subarray(size + 1), file.path).readUint32();
  if (maskCrc(crc32c(bytes.subarray(0, size + 1))) !== expected) {
    throw damaged(file.path, `the checksum of the block at byte ${offset} does not match`);
  }
  const compression = bytes[size]!;
  if (compression !== 0) {
    throw new CkptError("MODEL_UNREADABLE", {
      path: file.path,
      reason: `its table is compressed (type ${compression}${compression === 1 ? ", snappy" : ""})`,
      remedy: "Load it in TensorFlow and save it again: TensorFlow writes checkpoints without compression.",
    });
  }
  return bytes.subarray(0, size);
}
