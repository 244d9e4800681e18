import { type ByteKey, keyBytes, toByteKey } from "./byte-key.js";
import { ByteReader } from "./byte-reader.js";
import { damaged } from "./damaged.js";
import { MessageWriter } from "./message-writer.js";

/** One entry of a table. */
export interface TableEntry {
  readonly key: ByteKey;
  readonly value: Uint8Array;
}

/** A key is stored as what differs from the one before; every so many entries one stands whole. TensorFlow writes 16. */
const restartInterval = 16;
/** How many times its own size the keys of a block may have: four times what {@link restartInterval} allows. */
const maxKeyGrowth = 4 * restartInterval;

/**
 * The entries of a block, without its trailer; values are views.
 *
 * @throws {CkptError} BUNDLE_INVALID, also when keys do not ascend.
 */
export function parseBlock(block: Uint8Array, path: string): readonly TableEntry[] {
  if (block.length < 4) throw damaged(path, "a block is cut off");
  const restartCount = new ByteReader(block.subarray(-4), path).readUint32();
  const end = block.length - 4 - 4 * restartCount;
  if (restartCount === 0 || end < 0) throw damaged(path, `a block has ${restartCount} restarts`);

  const entries: TableEntry[] = [];
  const reader = new ByteReader(block.subarray(0, end), path);
  let previous: ByteKey | undefined;
  let keyBytesLeft = maxKeyGrowth * block.length;
  while (!reader.isAtEnd) {
    const sharedLength = reader.readSize();
    const ownLength = reader.readSize();
    const valueLength = reader.readSize();
    if (sharedLength > (previous?.length ?? 0)) throw damaged(path, "a key shares more than the one before has");
    keyBytesLeft -= sharedLength + ownLength;
    if (keyBytesLeft < 0) throw damaged(path, "the keys of a block are too long for it");
    const key = (previous ?? "").slice(0, sharedLength) + toByteKey(reader.readBytes(ownLength));
    if (previous !== undefined && key <= previous) throw damaged(path, "keys are not in order");
    entries.push({ key, value: reader.readBytes(valueLength) });
    previous = key;
  }
  return entries;
}

/** Collects entries, in the order of their keys, into a block; `interval` is after how many entries a key stands whole. */
export class BlockWriter {
  readonly #interval: number;
  #entries = new MessageWriter();
  #restarts: number[] = [];
  #count = 0;
  lastKey: ByteKey = "";

  constructor(interval: number = restartInterval) {
    this.#interval = interval;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Size that the block has now. */
  get sizeBytes(): number {
    return this.#entries.length + 4 * Math.max(1, this.#restarts.length) + 4;
  }

  add({ key, value }: TableEntry): void {
    const isRestart = this.#count++ % this.#interval === 0;
    if (isRestart) this.#restarts.push(this.#entries.length);
    const sharedLength = isRestart ? 0 : countShared(this.lastKey, key);
    this.#entries
      .writeVarint(sharedLength)
      .writeVarint(key.length - sharedLength)
      .writeVarint(value.length)
      .writeBytes(keyBytes(key.slice(sharedLength)))
      .writeBytes(value);
    this.lastKey = key;
  }

  /** The bytes of the block, without its trailer. An empty one has one restart. */
  finish(): Uint8Array {
    const restarts = this.isEmpty ? [0] : this.#restarts;
    for (const offset of [...restarts, restarts.length]) this.#entries.writeUint32(offset);
    return this.#entries.finish();
  }
}

function countShared(a: ByteKey, b: ByteKey): number {
  const end = Math.min(a.length, b.length);
  let count = 0;
  while (count < end && a[count] === b[count]) count++;
  return count;
}
