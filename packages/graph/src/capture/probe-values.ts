import type { Dtype } from "@ckpt/manifest";

import type { TensorValues } from "../ir/graph.js";
import { copyValues } from "./tensor-values.js";

/**
 * Input values for a trace, different for every `variant` and drawn from no random source. Floats lie strictly
 * between 0 and 1, where every common function is defined and every index into an embedding is valid; integers and
 * booleans are 0 or 1.
 */
export function makeProbeValues(dtype: Dtype, count: number, variant: number): TensorValues {
  // Fractional parts of multiples of the golden ratio: evenly spread, no two alike.
  const values = Array.from({ length: count }, (_, index) => {
    const fraction = ((index + 1 + variant * 0.37) * 0.6180339887498949) % 1;
    return dtype === "float32" ? 0.05 + 0.9 * fraction : Number(fraction < 0.5);
  });
  return copyValues(dtype, values);
}
