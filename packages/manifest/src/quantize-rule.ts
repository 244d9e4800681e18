import { z } from "zod";

/**
 * How a GraphModel may store float32 weights: 16-bit and 8-bit whole numbers on a line from the smallest to the largest
 * value of each tensor, half-precision floats, or as they are.
 */
export const quantizations = ["u16", "f16", "u8", "none"] as const;
/** One of {@link quantizations}. */
export type Quantization = (typeof quantizations)[number];

/** How the weights with certain names are stored. */
export interface QuantizeRule {
  readonly as: Quantization;
  /** Pattern of weight names: `*` stands for any text, `/` included, and `?` for any one character. */
  readonly weights: string;
}

/** {@link QuantizeRule} in a document. */
export const quantizeRuleSchema: z.ZodType<QuantizeRule> = z.object({
  as: z.enum(quantizations),
  weights: z.string().min(1),
});
