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

/**
 * Joins the values of all arrays in `packed`, in order, without gaps, little-endian as on every platform Node runs tfjs
 * on. `packed` has the size that {@link sizeArraysBytes} says.
 *
 * @throws {TypeError} When the values of an array are not as many as its shape says.
 */
export function packArrays(arrays: readonly NamedArray[], packed: Uint8Array): void {
  const target = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let offset = 0;
  for (const { data, ...spec } of arrays) {
    if (data.byteLength !== sizeArrayBytes(spec)) {
      throw new TypeError(`${spec.name}: ${data.byteLength} bytes, its shape takes ${sizeArrayBytes(spec)}`);
    }
    const end = offset + data.byteLength;
    // One memcpy. `set` copies into shared memory byte by byte unless both sides are aligned to 8: 3.3 times as long for a
    // state of 300 MB whose slots come behind the 4 bytes of the number of updates.
    // oxlint-disable-next-line unicorn/no-array-fill-with-reference-type -- a Buffer is filled with the bytes themselves
    if (end > offset) target.fill(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset, end);
    offset = end;
  }
}

/**
 * Cuts values that were packed apart again, from a byte offset on; the reverse of {@link packArrays}. They are views of
 * `packed` where they are aligned in it, and copies elsewhere.
 */
export function unpackArrays<Spec extends ArraySpec>(
  packed: Uint8Array<ArrayBuffer>,
  specs: readonly Spec[],
  startByte = 0,
): readonly (Spec & Pick<NamedArray, "data">)[] {
  const arrays: (Spec & Pick<NamedArray, "data">)[] = [];
  let offset = startByte;
  for (const spec of specs) {
    const bytes = packed.subarray(offset, offset + sizeArrayBytes(spec));
    const isAligned = bytes.byteOffset % bytesPerElement[spec.dtype] === 0;
    arrays.push({ ...spec, data: viewValues(spec.dtype, isAligned ? bytes : bytes.slice()) });
    offset += bytes.byteLength;
  }
  return arrays;
}

function sizeArrayBytes({ dtype, shape }: ArraySpec): number {
  return shape.reduce((product, dimension) => product * dimension, 1) * bytesPerElement[dtype];
}

function viewValues(dtype: ArrayDtype, bytes: Uint8Array<ArrayBuffer>): NamedArray["data"] {
  const { buffer, byteOffset, byteLength } = bytes;
  if (dtype === "float32") return new Float32Array(buffer, byteOffset, byteLength / 4);
  return dtype === "int32" ? new Int32Array(buffer, byteOffset, byteLength / 4) : bytes;
}
