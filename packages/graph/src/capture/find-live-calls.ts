import type { Operand } from "./trace.js";

/** What of a trace or program says which values are used. */
interface Calls {
  readonly calls: readonly { readonly inputs: readonly { readonly operand: Operand }[] }[];
  readonly outputs: readonly { readonly operand: Operand }[];
}

/** Indices of the calls that an output needs: what is computed and never used has to be no obstacle. */
export function findLiveCalls({ calls, outputs }: Calls): ReadonlySet<number> {
  const live = new Set<number>();
  const mark = ({ operand }: { readonly operand: Operand }): void => {
    if (operand.kind === "call") live.add(operand.index);
  };
  outputs.forEach(mark);
  for (let index = calls.length - 1; index >= 0; index--) {
    if (live.has(index)) calls[index]?.inputs.forEach(mark);
  }
  return live;
}
