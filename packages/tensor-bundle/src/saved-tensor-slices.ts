import type { TensorEntry } from "./bundle-entry.js";
import { damaged } from "./damaged.js";
import { checkVersion } from "./format-version.js";
import { MessageReader } from "./message-reader.js";
import { readTensorProto } from "./tensor-proto.js";
import { countValues, readShape } from "./tensor-shape.js";
import { readSlice, type TensorSlice } from "./tensor-slice.js";
import { dtypeOfNumber, type TensorDtype, type TensorValue } from "./tensor-value.js";

/** What a V1 file says of one tensor: which slices of it this file holds. */
export interface SavedSliceMeta extends TensorEntry {
  readonly name: string;
  readonly slices: readonly TensorSlice[];
}

/**
 * Reads the table of contents of a V1 file, the value of the empty key (SavedTensorSlices with `meta`).
 *
 * @throws {CkptError} BUNDLE_INVALID; MODEL_UNREADABLE for a newer format.
 */
export function readSavedMeta(bytes: Uint8Array, path: string): readonly SavedSliceMeta[] {
  const message = new MessageReader(bytes, path);
  const tensors: SavedSliceMeta[] = [];
  let isFound = false;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field !== 1) {
      message.skip();
      continue;
    }
    isFound = true;
    const meta = message.readMessage();
    for (let field = meta.next(); field !== 0; field = meta.next()) {
      if (field === 1) tensors.push(readSliceMeta(meta.readMessage()));
      else if (field === 2) checkVersion(meta.readMessage());
      else meta.skip();
    }
  }
  if (!isFound) throw damaged(path, "it has no table of contents");
  return tensors;
}

function readSliceMeta(message: MessageReader): SavedSliceMeta {
  let name = "";
  let shape: readonly number[] = [];
  let dtype = 0;
  const slices: TensorSlice[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) name = message.readText();
    else if (field === 2) shape = readShape(message.readMessage());
    else if (field === 3) dtype = message.readSize();
    else if (field === 4) slices.push(readSlice(message.readMessage()));
    else message.skip();
  }
  return { name, shape, dtype: dtypeOfNumber(dtype), slices };
}

/** What a stored slice has to be. */
interface ExpectedSlice {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

/**
 * Reads one slice's values (SavedTensorSlices with `data`).
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function readSavedSlice(bytes: Uint8Array, expected: ExpectedSlice, path: string): TensorValue {
  const message = new MessageReader(bytes, path);
  let value: TensorValue | undefined;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 2) value = readData(message.readMessage(), expected);
    else message.skip();
  }
  if (value === undefined) throw damaged(path, `${expected.name}: a slice without values`);
  return value;
}

function readData(message: MessageReader, { name, dtype, shape }: ExpectedSlice): TensorValue {
  const count = countValues(shape);
  let found = "";
  let value: TensorValue | undefined;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) found = message.readText();
    else if (field === 3) value = readTensorProto(message.readMessage(), dtype, shape, count);
    else message.skip();
  }
  if (found !== name) throw damaged(message.path, `${name}: a slice of ${found} in its place`);
  if (value === undefined) throw damaged(message.path, `${name}: a slice without values`);
  return value;
}
