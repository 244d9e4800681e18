import { CkptError, type TensorSpec } from "@ckpt/manifest";

/** How the values of one input become a tensor. */
export interface InputTensorOptions {
  /** Shape of one row, without the batch dimension. Default: `[number of values]`. */
  readonly shape?: readonly number[];
  /** Factor for every value of a float32 input, 1/16 for pixels from 0 to 16. Default: 1. */
  readonly scale?: number;
  /** Default: float32. An int32 input takes whole numbers only. */
  readonly dtype?: "float32" | "int32";
}

/** One input after its options are checked: `width` values a row. */
export interface InputLayout {
  readonly spec: TensorSpec;
  readonly isInteger: boolean;
  readonly scale: number;
  readonly width: number;
}

/** What the values of one row are: those of each input in turn, then the regression targets. */
export interface RowLayout {
  readonly inputs: readonly InputLayout[];
  /** Columns of all inputs together. */
  readonly inputWidth: number;
  /** Regression targets; 0 when the rows have class labels. */
  readonly targetWidth: number;
}

/** Adds the layouts of the inputs up to the layout of a row. */
export function createRowLayout(inputs: readonly InputLayout[], targetWidth: number): RowLayout {
  return { inputs, inputWidth: inputs.reduce((sum, input) => sum + input.width, 0), targetWidth };
}

/**
 * Checks the options of one input against the number of values a row has for it.
 *
 * @throws {CkptError} INVALID_OPTION when the shape does not hold `width` values, or the scale is no factor.
 */
export function createInputLayout(name: string, width: number, options: InputTensorOptions): InputLayout {
  const { shape = [width], scale = 1, dtype = "float32" } = options;
  const invalid = (option: string, expected: string, found: string) =>
    new CkptError("INVALID_OPTION", { option: `inputs.${name}.${option}`, expected, found });
  if (shape.some((size) => !Number.isInteger(size) || size < 1)) {
    throw invalid("shape", "whole numbers above 0", JSON.stringify(shape));
  }
  const valueCount = shape.reduce((product, size) => product * size, 1);
  if (valueCount !== width) {
    throw invalid("shape", `${width} values a row`, `${JSON.stringify(shape)}, which is ${valueCount}`);
  }
  if (!Number.isFinite(scale) || scale === 0) throw invalid("scale", "a finite number other than 0", String(scale));
  if (dtype !== "float32" && dtype !== "int32") throw invalid("dtype", "float32 or int32", String(dtype));
  const isInteger = dtype === "int32";
  if (isInteger && scale !== 1) throw invalid("scale", "no scale for an int32 input", String(scale));
  return { spec: { name, dtype, shape: [null, ...shape] }, isInteger, scale, width };
}
