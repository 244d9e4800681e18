import { MessageReader } from "./message-reader.js";
import { MessageWriter } from "./message-writer.js";
import { readShape, writeShape } from "./tensor-shape.js";
import { readSlice, type TensorSlice } from "./tensor-slice.js";
import { dtypeOfNumber, type ListedDtype, numberOfDtype, type TensorDtype } from "./tensor-value.js";

/** What a checkpoint says of a tensor before it is read. */
export interface TensorEntry {
  readonly dtype: ListedDtype;
  readonly shape: readonly number[];
}

/** What the index of a bundle says of a tensor or of one slice of it. */
export interface BundleEntry extends TensorEntry {
  /** Which data file, from 0. */
  readonly shard: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Masked. */
  readonly crc: number;
  /** Where the parts are when it is not stored in one piece; then it has no bytes of its own. */
  readonly slices: readonly TensorSlice[];
}

/**
 * Reads a BundleEntryProto.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function readBundleEntry(bytes: Uint8Array, path: string): BundleEntry {
  const message = new MessageReader(bytes, path);
  let [dtype, shard, offset, sizeBytes, crc]: readonly number[] = [0, 0, 0, 0, 0];
  let shape: readonly number[] = [];
  const slices: TensorSlice[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) dtype = message.readSize();
    else if (field === 2) shape = readShape(message.readMessage());
    else if (field === 3) shard = message.readSize();
    else if (field === 4) offset = message.readSize();
    else if (field === 5) sizeBytes = message.readSize();
    else if (field === 6) crc = message.readFixed32();
    else if (field === 7) slices.push(readSlice(message.readMessage()));
    else message.skip();
  }
  return {
    dtype: dtypeOfNumber(dtype!),
    shape,
    shard: shard!,
    offset: offset!,
    sizeBytes: sizeBytes!,
    crc: crc!,
    slices,
  };
}

/** Writes a BundleEntryProto for a whole tensor in the first data file. */
export function writeBundleEntry(
  entry: Omit<BundleEntry, "slices" | "shard"> & { readonly dtype: TensorDtype },
): Uint8Array {
  return new MessageWriter()
    .writeInteger(1, numberOfDtype(entry.dtype))
    .writeField(2, writeShape(entry.shape))
    .writeInteger(4, entry.offset)
    .writeInteger(5, entry.sizeBytes)
    .writeFixed32(6, entry.crc)
    .finish();
}
