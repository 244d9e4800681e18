/**
 * The bits of the half-precision floats nearest to float32 values, ties to even; beyond their range infinities.
 * Reference: IEEE 754-2008, binary32 and binary16.
 */
export function toHalfBits(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let at = 0; at < bits.length; at++) halves[at] = roundToHalf(bits[at] ?? 0);
  return halves;
}

function roundToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | (fraction === 0 ? 0x7c00 : 0x7e00);
  // The exponent with half precision's bias; below 1 the value is subnormal there.
  const scaled = exponent - 127 + 15;
  if (scaled <= 0) {
    const shift = 14 - scaled;
    return shift > 24 ? sign : sign | shiftToEven(fraction | 0x800000, shift);
  }
  // A fraction that rounds up to 2 carries into the exponent, and from the largest one into infinity.
  return sign | Math.min(0x7c00, (scaled << 10) + shiftToEven(fraction, 13));
}

/** `value / 2^shift`, rounded to the nearest whole number and to the even one between two. */
function shiftToEven(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
}
