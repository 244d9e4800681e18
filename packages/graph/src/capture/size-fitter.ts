import { isStaticSize, listSymbols, productSize, type Size } from "../ir/size.js";
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
  readonly fitComputed: (size: ObservedSize, isLive: boolean) => Size;
  /** A size that was asked for by number: it may be any known so far. */
  readonly fitRequested: (size: ObservedSize) => Size | undefined;
}

/**
 * Thrown where it cannot be told what sizes depend on: a window covers them whole, or two came out alike. Others, or
 * more of them, may do.
 */
export class AmbiguousSizes extends Error {}

// Whether one follows from the other, as far as the traces tell.
function isAlike(a: readonly number[], b: readonly number[]): boolean {
  return fitLine(a, b) !== undefined || fitLine(b, a) !== undefined;
}

/** Starts with a symbol for each open size of the inputs. */
export function createSizeFitter(open: readonly (readonly number[])[]): SizeFitter {
  const symbols: SizeSymbol[] = open.map((observed, index) => ({ observed, roots: new Set([index]), isLive: true }));
  const introduce = ({ observed, near }: ObservedSize, isLive: boolean): Size => {
    const parents = new Set(near.flatMap(listSymbols));
    const roots = new Set(Array.from(parents, (symbol) => [...(symbols[symbol]?.roots ?? [])]).flat());
    const isUnrelated = (symbol: SizeSymbol): boolean => ![...symbol.roots].some((root) => roots.has(root));
    if (symbols.some((symbol) => isUnrelated(symbol) && isAlike(symbol.observed, observed))) {
      throw new AmbiguousSizes("two sizes that do not depend on each other came out alike");
    }
    // Divided until it is 2, 3, 3 and 3, a size would pass for another one less 1.
    if (observed.length > 2 && Math.max(...observed) - Math.min(...observed) < 2) {
      throw new AmbiguousSizes("a size came out nearly the same for every size of the inputs");
    }
    symbols.push({ observed, roots, isLive });
    return productSize([symbols.length - 1]);
  };
  // Through two observations there is always a line, so one that is not straight through 0 proves nothing.
  const check = (size: Size | undefined): Size | undefined => {
    if (open[0]?.length === 2 && size !== undefined && !isStaticSize(size) && size.offset !== 0) {
      throw new AmbiguousSizes("a size that is not a multiple of the batch needs more than two batch sizes");
    }
    return size;
  };
  return {
    symbols,
    fitComputed: (size, isLive) =>
      check(fitSize(size.observed, { symbols, near: size.near, far: [] })) ?? introduce(size, isLive),
    fitRequested: ({ observed, near }) =>
      check(fitSize(observed, { symbols, near, far: symbols.flatMap(({ isLive }, symbol) => (isLive ? symbol : [])) })),
  };
}
