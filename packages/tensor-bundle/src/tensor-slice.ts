import type { ByteKey } from "./byte-key.js";
import { damaged } from "./damaged.js";
import type { MessageReader } from "./message-reader.js";
import { encodeOrderedBytes, encodeOrderedNumber, encodeOrderedSigned } from "./ordered-code.js";

/** A range of one dimension; without a length, all of it. */
export interface Extent {
  readonly start: number;
  readonly length?: number;
}

/** The part of a tensor that is stored in one piece: one extent a dimension. */
export type TensorSlice = readonly Extent[];

/**
 * Reads a TensorSliceProto.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function readSlice(message: MessageReader): TensorSlice {
  const extents: Extent[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) extents.push(readExtent(message.readMessage()));
    else message.skip();
  }
  return extents;
}

function readExtent(message: MessageReader): Extent {
  let start = 0;
  let length: number | undefined;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) start = message.readSize();
    else if (field === 2) length = message.readSize();
    else message.skip();
  }
  return length === undefined ? { start } : { start, length };
}

/** The key under which a slice of the tensor `name` is stored. Format: tensorflow/core/util/saved_tensor_slice_util.cc */
export function encodeSliceKey(name: ByteKey, slice: TensorSlice): ByteKey {
  const extents = slice.map(({ start, length }) => encodeOrderedSigned(start) + encodeOrderedSigned(length ?? -1));
  return encodeOrderedNumber(0) + encodeOrderedBytes(name) + encodeOrderedNumber(slice.length) + extents.join("");
}

/** A slice with every length known. */
export interface PlacedSlice {
  readonly starts: readonly number[];
  readonly shape: readonly number[];
}

/**
 * The slice within a tensor of `shape`.
 *
 * @throws {CkptError} BUNDLE_INVALID when it lies outside.
 */
export function placeSlice(slice: TensorSlice, shape: readonly number[], path: string): PlacedSlice {
  if (slice.length !== shape.length) {
    throw damaged(path, `a slice of rank ${slice.length} of a tensor of rank ${shape.length}`);
  }
  const starts = slice.map(({ start }) => start);
  const sizes = slice.map(({ start, length }, axis) => length ?? shape[axis]! - start);
  if (sizes.some((size, axis) => size < 0 || starts[axis]! + size > shape[axis]!)) {
    throw damaged(path, `a slice outside of its tensor of the shape [${shape.join(", ")}]`);
  }
  return { starts, shape: sizes };
}
