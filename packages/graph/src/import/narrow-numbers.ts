import { CkptError } from "@ckpt/manifest";

const floatDtypes = ["float64", "float16", "bfloat16"] as const;

/** Element types of numbers other than float32; `float16` and `bfloat16` are given by their bits. */
export type WideDtype =
  | (typeof floatDtypes)[number]
  | "int64"
  | "uint64"
  | "int32"
  | "uint32"
  | "int16"
  | "uint16"
  | "int8"
  | "uint8";

/** Numbers of one of the two element types that there are in a frozen graph. */
export type NarrowNumbers =
  | { readonly dtype: "float32"; readonly values: Float32Array }
  | { readonly dtype: "int32"; readonly values: Int32Array };

/**
 * Floats of all sizes as float32, integers of all sizes as int32.
 *
 * @param where - Named in errors.
 * @throws {CkptError} UNSUPPORTED_DTYPE for a finite number beyond float32 and an integer beyond int32.
 */
export function narrowNumbers(dtype: WideDtype, wide: ArrayLike<number | bigint>, where: string): NarrowNumbers {
  const refuse = (limit: string): never => {
    throw new CkptError("UNSUPPORTED_DTYPE", {
      where,
      dtype: `${dtype} beyond ${limit}`,
      supported: ["float32", "int32", "bool"],
    });
  };
  if (isFloat(dtype)) {
    const widen = widenings[dtype];
    const values = Float32Array.from(wide, (value) => widen(Number(value)));
    const isLost = (value: number, at: number): boolean =>
      !Number.isFinite(value) && Number.isFinite(widen(Number(wide[at])));
    return values.some(isLost) ? refuse("float32") : { dtype: "float32", values };
  }
  const values = Int32Array.from(wide, Number);
  return values.some((value, at) => value !== Number(wide[at])) ? refuse("int32") : { dtype: "int32", values };
}

function isFloat(dtype: WideDtype): dtype is (typeof floatDtypes)[number] {
  return floatDtypes.some((each) => each === dtype);
}

const widenings: Readonly<Record<(typeof floatDtypes)[number], (value: number) => number>> = {
  float64: (value) => value,
  float16: widenHalf,
  bfloat16: widenBfloat16,
};

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of((bits & 0xffff) << 16).buffer)[0] ?? 0;
}

/** A half-precision number by its bits. Reference: IEEE 754, binary16. */
function widenHalf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
