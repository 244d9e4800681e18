import type { Signature, TensorSpec } from "@ckpt/manifest";

/** Names with what stands behind them, one a line. */
export type Lines = readonly (readonly [name: string, text: string])[];

/** A line for each input and output. */
export function describeSignature({ inputs, outputs }: Signature): Lines {
  return [
    ...inputs.map((spec) => ["input", describeTensor(spec)] as const),
    ...outputs.map((spec) => ["output", describeTensor(spec)] as const),
  ];
}

function describeTensor({ name, dtype, shape }: TensorSpec): string {
  return `${name} ${dtype} [${shape.map((size) => size ?? "?").join(", ")}]`;
}
