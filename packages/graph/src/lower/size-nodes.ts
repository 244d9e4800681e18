import { CkptError } from "@ckpt/manifest";

import { attribute } from "../ir/attribute.js";
import { findSymbol, isStaticSize, listSymbols, type Size, staticSize, toSymbolicShape } from "../ir/size.js";
import type { LoweringBuilder, Value } from "./lowering.js";

/** Sizes as int32 values of the graph, computed from those of earlier values where they are open. */
export interface SizeNodes {
  /** From now on the symbols among the sizes of this value may be read from it. */
  learn(value: Value, isInput: boolean): void;
  /** The symbols that can be read. */
  known(): readonly number[];
  isKnown(size: Size): boolean;
  scalar(size: Size): Value;
  /** A vector; -1 at the position `free`. Throws {@link CkptError} UNSUPPORTED_SHAPE for a size that is not known. */
  vector(sizes: readonly Size[], free?: number): Value;
}

/** An axis of a value, at which a symbol can be read. */
interface SizeSource {
  readonly value: Value;
  readonly axis: number;
  readonly isInput: boolean;
}

const scalarInt = { dtype: "int32", sizes: [] } as const;

/** Starts with no size known; `currentLayer` is named in errors. */
export function createSizeNodes(
  { add, int, ints }: Pick<LoweringBuilder, "add" | "int" | "ints">,
  currentLayer: () => string,
): SizeNodes {
  const sources = new Map<number, SizeSource>();
  const read = (symbol: number): Value => {
    const source = sources.get(symbol);
    if (source === undefined) throw new TypeError("A size is not known.");
    const { value, axis } = source;
    const shape = add("Shape", [value], { dtype: "int32", sizes: [staticSize(value.sizes.length)] });
    return add("StridedSlice", [shape, ints([axis]), ints([axis + 1]), ints([1])], scalarInt, {
      shrink_axis_mask: attribute.int(1),
    });
  };
  const combine = (op: string, operands: readonly Value[]): Value =>
    operands.reduce((left, right) => add(op, [left, right], scalarInt));
  const scalar = ({ terms, offset }: Size): Value => {
    const products = terms.map(({ coefficient, symbols }) =>
      combine("Mul", [...symbols.map(read), ...(coefficient === 1 ? [] : [int(coefficient)])]),
    );
    return combine("AddV2", [...products, ...(offset === 0 && terms.length > 0 ? [] : [int(offset)])]);
  };
  const isKnown = (size: Size): boolean => listSymbols(size).every((symbol) => sources.has(symbol));
  return {
    learn: (value, isInput) => {
      for (const [axis, size] of value.sizes.entries()) {
        const symbol = findSymbol(size);
        if (symbol === undefined || sources.get(symbol)?.isInput === true) continue;
        sources.set(symbol, { value, axis, isInput });
      }
    },
    known: () => [...sources.keys()],
    isKnown,
    scalar,
    vector: (sizes, free) => {
      if (sizes.every((size, position) => isStaticSize(size) || position === free)) {
        return ints(sizes.map((size, position) => (position === free ? -1 : size.offset)));
      }
      if (!sizes.every((size, position) => isKnown(size) || position === free)) {
        const layer = currentLayer();
        throw new CkptError("UNSUPPORTED_SHAPE", {
          where: layer === "" ? "the captured function" : layer,
          shape: toSymbolicShape(sizes),
          reason: "an open size follows from no size of a tensor before it",
        });
      }
      return add(
        "Pack",
        sizes.map((size, position) => (position === free ? int(-1) : scalar(size))),
        { dtype: "int32", sizes: [staticSize(sizes.length)] },
        { axis: attribute.int(0) },
      );
    },
  };
}
