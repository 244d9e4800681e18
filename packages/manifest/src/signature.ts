import { z } from "zod";

/** Element types that artifacts and splits may have, by their TensorFlow.js names. */
export const dtypes = ["float32", "int32", "bool", "string"] as const;

/** One of {@link dtypes}. */
export type Dtype = (typeof dtypes)[number];

/** Name, element type and shape of one input or output; `null` is a dimension known only at run time. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly (number | null)[];
}

/** Named inputs and outputs of a computation, in positional order. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Accepts the spec of one input or output. */
export const tensorSpecSchema: z.ZodType<TensorSpec> = z.object({
  name: z.string().min(1),
  dtype: z.enum(dtypes),
  shape: z.array(z.int().nonnegative().nullable()),
});

/** Accepts a signature with any number of inputs and at least one output. */
export const signatureSchema: z.ZodType<Signature> = z.object({
  inputs: z.array(tensorSpecSchema),
  outputs: z.array(tensorSpecSchema).min(1),
});
