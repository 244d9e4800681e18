import type { CkptConfig } from "@ckpt/cli";

/** The handwritten digits, divided by a hash of each row: pixels 0..16 scaled to 0..1, each image of the given shape. */
export const digits = (shape: readonly number[]): CkptConfig["data"] => ({
  files: [{ path: "digits.csv.gz", fractions: { train: 0.66, validation: 0.1, select: 0.1, test: 0.14 } }],
  inputs: { pixels: { columns: /^p\d+$/, shape, scale: 1 / 16 } },
  label: { column: "digit", classes: 10 },
});
