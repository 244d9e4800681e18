/** Element types of what a training state is made of. */
export type ArrayDtype = "float32" | "int32" | "bool";

/** What is known of an array without its values. */
export interface ArraySpec {
  readonly name: string;
  readonly dtype: ArrayDtype;
  readonly shape: readonly number[];
}

/** A named dense array outside any framework; row-major, bool as one byte an element. */
export interface NamedArray extends ArraySpec {
  readonly data: Float32Array | Int32Array | Uint8Array;
}

const bytesPerElement: Readonly<Record<ArrayDtype, number>> = { float32: 4, int32: 4, bool: 1 };

/** Size of the values of all arrays in bytes. */
export function sizeArraysBytes(specs: readonly ArraySpec[]): number {
  return specs.reduce((size, spec) => size + sizeArrayBytes(spec), 0);
}

/** Joins the values of all arrays, in order, without gaps; little-endian as on every platform Node runs tfjs on. */
export function packArrays(arrays: readonly NamedArray[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(sizeArraysBytes(arrays));
  let offset = 0;
  for (const { data } of arrays) {
    packed.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return packed;
}

/** Cuts values that were packed apart again, from a byte offset on, each copied; the reverse of {@link packArrays}. */
export function unpackArrays<Spec extends ArraySpec>(
  packed: Uint8Array,
  specs: readonly Spec[],
  startByte = 0,
): readonly (Spec & Pick<NamedArray, "data">)[] {
  const arrays: (Spec & Pick<NamedArray, "data">)[] = [];
  let offset = startByte;
  for (const spec of specs) {
    const bytes = Uint8Array.from(packed.subarray(offset, offset + sizeArrayBytes(spec)));
    arrays.push({ ...spec, data: viewValues(spec.dtype, bytes) });
    offset += bytes.byteLength;
  }
  return arrays;
}

function sizeArrayBytes({ dtype, shape }: ArraySpec): number {
  return shape.reduce((product, dimension) => product * dimension, 1) * bytesPerElement[dtype];
}

function viewValues(dtype: ArrayDtype, bytes: Uint8Array<ArrayBuffer>): NamedArray["data"] {
  if (dtype === "float32") return new Float32Array(bytes.buffer);
  return dtype === "int32" ? new Int32Array(bytes.buffer) : bytes;
}
