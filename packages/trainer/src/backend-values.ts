import { tf } from "#tfjs";

import type { ArrayDtype, NamedArray } from "./named-array.js";

/** The table in which the cpu and the wasm backend of TensorFlow.js 4 keep their tensors; no public call reads it. */
interface DataTable<Entry> {
  /** Tells without moving a tensor of another backend over, as `get` would. */
  has(dataId: object): boolean;
  get(dataId: object): Entry;
}

interface OpenCpuBackend {
  readonly data: DataTable<{ readonly values?: unknown }>;
}

interface OpenWasmBackend {
  readonly dataIdMap: DataTable<{ readonly memoryOffset: number | null }>;
  readonly wasm: { readonly HEAPU8: Uint8Array<ArrayBuffer> };
}

/** The arrays that hold values of each type. */
export const arrayTypes: {
  readonly float32: Float32ArrayConstructor;
  readonly int32: Int32ArrayConstructor;
  readonly bool: Uint8ArrayConstructor;
} = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/**
 * Views a tensor's values where the current backend computes with them: the cpu backend's own array, or a part of the
 * wasm backend's heap. Nothing is allocated there, so that earlier views stay valid; one is invalid as soon as the heap
 * grows. `undefined` where there is nothing to view: another backend, a tensor of another backend, values that are not
 * kept as `dtype` has them.
 */
export function viewBackendValues(tensor: tf.Tensor, dtype: ArrayDtype): NamedArray["data"] | undefined {
  const backend: unknown = tf.backend();
  const { dataId } = tensor;
  if (isWasmBackend(backend)) {
    if (!backend.dataIdMap.has(dataId)) return undefined;
    const { memoryOffset } = backend.dataIdMap.get(dataId);
    return memoryOffset === null
      ? undefined
      : new arrayTypes[dtype](backend.wasm.HEAPU8.buffer, memoryOffset, tensor.size);
  }
  if (isCpuBackend(backend) && backend.data.has(dataId)) {
    const { values } = backend.data.get(dataId);
    // A cast without loss shares the array of the old type; a bool may be kept as anything.
    if (values instanceof arrayTypes[dtype]) return values;
  }
  return undefined;
}

function isWasmBackend(backend: unknown): backend is OpenWasmBackend {
  const { dataIdMap, wasm } = backend as Partial<OpenWasmBackend>;
  return isTable(dataIdMap) && wasm?.HEAPU8 instanceof Uint8Array;
}

function isCpuBackend(backend: unknown): backend is OpenCpuBackend {
  return isTable((backend as Partial<OpenCpuBackend>).data);
}

function isTable(table: unknown): boolean {
  const { has, get } = (table ?? {}) as Partial<DataTable<unknown>>;
  return typeof has === "function" && typeof get === "function";
}
