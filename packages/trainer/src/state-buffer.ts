import { type NamedArray, packArrays, sizeArraysBytes } from "./named-array.js";

/**
 * Shared memory that a training state is copied into and that another thread writes to disk. It is kept from one save to
 * the next: the first touch of fresh memory costs many times what copying into it does.
 */
export class StateBuffer {
  #memory = new SharedArrayBuffer(0);

  /** Joins the values of all arrays here, in order, without gaps; what was here before is overwritten. */
  pack(arrays: readonly NamedArray[]): Uint8Array {
    const sizeBytes = sizeArraysBytes(arrays);
    if (this.#memory.byteLength < sizeBytes) this.#memory = new SharedArrayBuffer(sizeBytes);
    const packed = new Uint8Array(this.#memory, 0, sizeBytes);
    packArrays(arrays, packed);
    return packed;
  }
}
