import type { ByteKey } from "./byte-key.js";
import { crc32c, maskCrc } from "./crc32c.js";
import { MessageWriter } from "./message-writer.js";
import { BlockWriter, type TableEntry } from "./table-block.js";
import { footerBytes, tableMagic } from "./table-format.js";

/** The size at which TensorFlow closes a block. */
const blockBytes = 262_144;

/**
 * The bytes of a table, uncompressed, the same that TensorFlow writes. Entries have to come in the order of their keys,
 * each key once.
 */
export function writeTable(entries: Iterable<TableEntry>): Uint8Array {
  const table = new MessageWriter();
  const index = new BlockWriter(1);
  let block = new BlockWriter();
  for (const entry of entries) {
    if (block.sizeBytes >= blockBytes) {
      index.add({ key: separateKeys(block.lastKey, entry.key), value: writeBlock(table, block) });
      block = new BlockWriter();
    }
    block.add(entry);
  }
  if (!block.isEmpty) index.add({ key: followKey(block.lastKey), value: writeBlock(table, block) });

  const footer = new MessageWriter();
  footer.writeBytes(writeBlock(table, new BlockWriter())).writeBytes(writeBlock(table, index));
  footer.writeBytes(new Uint8Array(footerBytes - tableMagic.length - footer.length));
  return table.writeBytes(footer.finish()).writeBytes(Uint8Array.from(tableMagic)).finish();
}

/** Appends a block with its trailer and returns its handle: where it is, and its size without the trailer. */
function writeBlock(table: MessageWriter, block: BlockWriter): Uint8Array {
  const bytes = block.finish();
  const offset = table.length;
  const isUncompressed = new Uint8Array(1);
  const crc = crc32c(isUncompressed, crc32c(bytes));
  table.writeBytes(bytes).writeBytes(isUncompressed).writeUint32(maskCrc(crc));
  return new MessageWriter().writeVarint(offset).writeVarint(bytes.length).finish();
}

/** A short key that is not before `key` and before `next`. */
function separateKeys(key: ByteKey, next: ByteKey): ByteKey {
  let at = 0;
  while (at < key.length && key[at] === next[at]) at++;
  const raised = key.charCodeAt(at) + 1;
  return at < key.length && raised < next.charCodeAt(at) ? key.slice(0, at) + String.fromCharCode(raised) : key;
}

/** A short key that is not before `key`. */
function followKey(key: ByteKey): ByteKey {
  const at = key.search(/[^\u00ff]/);
  return at < 0 ? key : key.slice(0, at) + String.fromCharCode(key.charCodeAt(at) + 1);
}
