import { checkCover, startAssembly } from "./assemble-slices.js";
import { encodeKey } from "./byte-key.js";
import { checkReadable, type CheckpointReader, missingTensor } from "./checkpoint-reader.js";
import { damaged } from "./damaged.js";
import type { RandomAccessFile } from "./random-access-file.js";
import { readSavedMeta, readSavedSlice, type SavedSliceMeta } from "./saved-tensor-slices.js";
import { openTable, type Table } from "./table-reader.js";
import { countValues } from "./tensor-shape.js";
import { encodeSliceKey, type PlacedSlice, placeSlice, type TensorSlice } from "./tensor-slice.js";
import type { TensorValue } from "./tensor-value.js";

/** A tensor of a V1 checkpoint: what all files together say of it. */
interface SavedTensor extends Omit<SavedSliceMeta, "slices"> {
  readonly parts: { readonly slice: TensorSlice; readonly table: Table }[];
}

/**
 * Opens a V1 checkpoint: one table, or one a device, with the values in it. The files are the reader's from here on and
 * closed with it, also if this fails.
 *
 * @throws {CkptError} BUNDLE_INVALID; MODEL_UNREADABLE for a compressed or a newer one; FILE_SYSTEM.
 */
export async function openV1Table(prefix: string, files: readonly RandomAccessFile[]): Promise<CheckpointReader> {
  const close = async (): Promise<void> => {
    for (const file of files) await file.close();
  };
  try {
    const tables: Table[] = [];
    for (const file of files) tables.push(await openTable(file));
    const tensors = await readContents(tables);
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return {
      prefix,
      format: "table",
      entries: new Map([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
      read: (name) => readTensor(prefix, name, tensors.get(name), sizeBytes),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readContents(tables: readonly Table[]): Promise<ReadonlyMap<string, SavedTensor>> {
  const tensors = new Map<string, SavedTensor>();
  for (const table of tables) {
    const contents = await table.find("");
    if (contents === undefined) throw damaged(table.path, "it has no table of contents");
    for (const { name, dtype, shape, slices } of readSavedMeta(contents, table.path)) {
      const tensor = tensors.get(name) ?? { name, dtype, shape, parts: [] };
      if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
        throw damaged(table.path, `${name} has another dtype or shape in another file`);
      }
      tensor.parts.push(...slices.map((slice) => ({ slice, table })));
      tensors.set(name, tensor);
    }
  }
  const sorted = [...tensors].map(([name, tensor]) => ({ key: encodeKey(name), name, tensor }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
  return new Map(sorted.map(({ name, tensor }) => [name, tensor]));
}

async function readTensor(
  prefix: string,
  name: string,
  tensor: SavedTensor | undefined,
  sizeBytes: number,
): Promise<TensorValue> {
  if (tensor === undefined) throw missingTensor(prefix, name);
  const dtype = checkReadable(tensor.dtype, `${prefix}: ${name}`);
  const parts = tensor.parts.map((part) => ({ ...part, ...placeSlice(part.slice, tensor.shape, part.table.path) }));
  checkCover(parts, tensor.shape, prefix);
  // Before memory is taken: every value has a byte of its own at least.
  if (countValues(tensor.shape) > sizeBytes) throw damaged(prefix, `${name} is larger than the checkpoint`);

  const readPart = async ({
    slice,
    table,
    shape,
  }: PlacedSlice & SavedTensor["parts"][number]): Promise<TensorValue> => {
    const bytes = await table.find(encodeSliceKey(encodeKey(name), slice));
    if (bytes === undefined) throw damaged(table.path, `a slice of ${name} is missing`);
    return readSavedSlice(bytes, { name, dtype, shape }, table.path);
  };
  const [first] = parts;
  if (parts.length === 1) return readPart(first!);
  const assembly = startAssembly(dtype, tensor.shape);
  for (const part of parts) assembly.place(part, (await readPart(part)).values);
  return assembly.tensor;
}
