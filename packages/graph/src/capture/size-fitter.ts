import { listSymbols, productSize, type Size } from "../ir/size.js";
import { fitLine, fitSize } from "./fit-size.js";

/** A place where a size can be read at run time. */
export interface SizeSymbol {
  /** What it was in each trace. */
  readonly observed: readonly number[];
  /** The open sizes of the inputs that it may follow from, as symbols. */
  readonly roots: ReadonlySet<number>;
  /** Whether the value it belongs to is used, so that it is there to be read. */
  readonly isLive: boolean;
}

/** A size as it was in each trace, and what it may come from. */
export interface ObservedSize {
  readonly observed: readonly number[];
  /** Sizes of the call's arguments, the likeliest first. */
  readonly near: readonly Size[];
}

/** Describes observed sizes by symbols, and makes new symbols. */
export interface SizeFitter {
  readonly symbols: readonly SizeSymbol[];
  /** A size that follows from those of the arguments, whatever the operation; else one of its own. */
  fitComputed(size: ObservedSize, isLive: boolean): Size;
  /** A size that was asked for by number: it may be any known so far. */
  fitRequested(size: ObservedSize): Size | undefined;
}

/**
 * Thrown where sizes are too small to tell what they depend on: a window that covers them whole, or two that came out
 * alike. Larger ones may do.
 */
export class AmbiguousSizes extends Error {}

/** Starts with a symbol for each open size of the inputs. */
export function createSizeFitter(open: readonly (readonly number[])[]): SizeFitter {
  const symbols: SizeSymbol[] = open.map((observed, index) => ({ observed, roots: new Set([index]), isLive: true }));
  const isSame = (a: readonly number[], b: readonly number[]): boolean =>
    fitLine(a, b) !== undefined || fitLine(b, a) !== undefined;
  const introduce = ({ observed, near }: ObservedSize, isLive: boolean): Size => {
    const roots = new Set(near.flatMap(listSymbols).flatMap((symbol) => [...(symbols[symbol]?.roots ?? [])]));
    if (
      symbols.some((symbol) => ![...symbol.roots].some((root) => roots.has(root)) && isSame(symbol.observed, observed))
    ) {
      throw new AmbiguousSizes("two sizes that do not depend on each other came out alike");
    }
    symbols.push({ observed, roots, isLive });
    return productSize([symbols.length - 1]);
  };
  return {
    symbols,
    fitComputed: (size, isLive) =>
      fitSize(size.observed, { symbols, near: size.near, far: [] }) ?? introduce(size, isLive),
    fitRequested: ({ observed, near }) =>
      fitSize(observed, { symbols, near, far: symbols.flatMap(({ isLive }, symbol) => (isLive ? symbol : [])) }),
  };
}
