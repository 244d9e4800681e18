import type { SymbolicShape } from "./graph.js";

/** A product of symbols: `coefficient * symbols[0] * symbols[1] * ...`. */
interface SizeTerm {
  readonly coefficient: number;
  /** Ascending; a square names its symbol twice. */
  readonly symbols: readonly number[];
}

/**
 * A size as a function of symbols: the sum of `terms`, plus `offset`. A symbol is the number of a place where a size can
 * be read at run time. Static where there are no terms.
 */
export interface Size {
  readonly terms: readonly SizeTerm[];
  readonly offset: number;
}

/** The size that is the same in every run. */
export function staticSize(value: number): Size {
  return { terms: [], offset: value };
}

/** The size `coefficient * product of symbols + offset`. */
export function productSize(symbols: readonly number[], coefficient = 1, offset = 0): Size {
  return { terms: [{ coefficient, symbols: symbols.toSorted((a, b) => a - b) }], offset };
}

/** Whether a size is the same in every run. */
export function isStaticSize(size: Size): boolean {
  return size.terms.length === 0;
}

/** Whether a size is `value` in every run. */
export function isSizeOf(size: Size, value: number): boolean {
  return isStaticSize(size) && size.offset === value;
}

/** The symbol that a size is, if it is one and no more. */
export function findSymbol({ terms, offset }: Size): number | undefined {
  const [term] = terms;
  const isSymbol = terms.length === 1 && offset === 0 && term?.coefficient === 1 && term.symbols.length === 1;
  return isSymbol ? term.symbols[0] : undefined;
}

/** The symbols that a size depends on, each once. */
export function listSymbols({ terms }: Size): readonly number[] {
  return [...new Set(terms.flatMap(({ symbols }) => symbols))];
}

/** The number that a size is where each symbol has a value. */
export function evaluateSize({ terms, offset }: Size, valueOf: (symbol: number) => number): number {
  return terms.reduce(
    (sum, { coefficient, symbols }) =>
      sum + symbols.reduce((product, symbol) => product * valueOf(symbol), coefficient),
    offset,
  );
}

/** The sum of two sizes. */
export function addSizes(a: Size, b: Size): Size {
  const terms = new Map<string, SizeTerm>();
  for (const term of [...a.terms, ...b.terms]) {
    const key = term.symbols.join();
    terms.set(key, { ...term, coefficient: term.coefficient + (terms.get(key)?.coefficient ?? 0) });
  }
  return {
    terms: [...terms]
      .toSorted(([x], [y]) => (x < y ? -1 : 1))
      .flatMap(([, term]) => (term.coefficient === 0 ? [] : term)),
    offset: a.offset + b.offset,
  };
}

/** A size times a whole number. */
export function scaleSize({ terms, offset }: Size, factor: number): Size {
  return {
    terms: terms.map(({ coefficient, symbols }) => ({ coefficient: coefficient * factor, symbols })),
    offset: offset * factor,
  };
}

/** Whether two sizes are equal in every run, as far as their symbols tell. */
export function equalSizes(a: Size, b: Size): boolean {
  return (
    a.offset === b.offset &&
    a.terms.length === b.terms.length &&
    a.terms.every(({ coefficient, symbols }, index) => {
      const other = b.terms[index];
      return coefficient === other?.coefficient && symbols.join() === other.symbols.join();
    })
  );
}

/** The shape with `null` for every size that is not static. */
export function toSymbolicShape(sizes: readonly Size[]): SymbolicShape {
  return sizes.map((size) => (isStaticSize(size) ? size.offset : null));
}
