import { CkptError } from "@ckpt/manifest";

import { damaged } from "./damaged.js";
import { checkVersion } from "./format-version.js";
import { MessageReader } from "./message-reader.js";
import { MessageWriter } from "./message-writer.js";

/**
 * Reads a BundleHeaderProto, the value of the empty key, and returns the number of data files.
 *
 * @throws {CkptError} BUNDLE_INVALID; MODEL_UNREADABLE for a big-endian bundle or a newer format.
 */
export function readBundleHeader(bytes: Uint8Array, path: string): number {
  const message = new MessageReader(bytes, path);
  let shardCount = 0;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) shardCount = message.readSize();
    else if (field === 2) checkEndianness(message.readInteger(), path);
    else if (field === 3) checkVersion(message.readMessage());
    else message.skip();
  }
  if (shardCount === 0) throw damaged(path, "its header names no data file");
  return shardCount;
}

function checkEndianness(endianness: number, path: string): void {
  if (endianness === 0) return;
  throw new CkptError("MODEL_UNREADABLE", {
    path,
    reason: "written on a big-endian machine",
    remedy: "Load it in TensorFlow there and save it on a little-endian machine.",
  });
}

/** A BundleHeaderProto: one data file, little-endian, version 1. */
export function writeBundleHeader(): Uint8Array {
  return new MessageWriter().writeInteger(1, 1).writeField(3, new MessageWriter().writeInteger(1, 1)).finish();
}
