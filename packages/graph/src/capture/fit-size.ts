import { evaluateSize, listSymbols, productSize, type Size, staticSize } from "../ir/size.js";

/** What each symbol was in each of the traces. */
export type ObservedSymbols = readonly { readonly observed: readonly number[] }[];

/** What a size may be made of. */
export interface FitSizeOptions {
  readonly symbols: ObservedSymbols;
  /** Sizes that it is likely to be, or to follow from; the likeliest first. */
  readonly near: readonly Size[];
  /** The other symbols that it may follow from. */
  readonly far: readonly number[];
}

/** No product of more sizes than these is looked for: batch, depth, height and width. */
const maxDegree = 4;

function equalNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** The observations as `coefficient * basis + offset`, both whole and the first not 0. */
export function fitLine(
  observed: readonly number[],
  basis: readonly number[],
): { coefficient: number; offset: number } | undefined {
  const [first = 0] = observed;
  const [start = 0] = basis;
  const other = basis.findIndex((value) => value !== start);
  const [end, last] = [basis[other], observed[other]];
  if (end === undefined || last === undefined) return undefined;
  const coefficient = (last - first) / (end - start);
  const offset = first - coefficient * start;
  const fits = observed.every((value, index) => value === coefficient * (basis[index] ?? Number.NaN) + offset);
  return fits && Number.isInteger(coefficient) && coefficient !== 0 ? { coefficient, offset } : undefined;
}

// Products of several symbols, in the order of `candidates`, that the observations are a multiple of.
function fitProduct(
  observed: readonly number[],
  candidates: readonly number[],
  symbols: ObservedSymbols,
): Size | undefined {
  const search = (
    degree: number,
    start: number,
    chosen: readonly number[],
    rest: readonly number[],
  ): Size | undefined => {
    if (degree === 0) {
      const [coefficient = 0] = rest;
      return rest.every((value) => value === coefficient) ? productSize(chosen, coefficient) : undefined;
    }
    for (let position = start; position < candidates.length; position++) {
      const symbol = candidates[position];
      const values = symbol === undefined ? undefined : symbols[symbol]?.observed;
      if (symbol === undefined || values === undefined) continue;
      const quotients = rest.map((value, index) => value / (values[index] ?? Number.NaN));
      if (!quotients.every(Number.isInteger)) continue;
      const found = search(degree - 1, position, [...chosen, symbol], quotients);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (let degree = 2; degree <= maxDegree; degree++) {
    const found = search(degree, 0, [], observed);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The size that was `observed` in the traces, one number for each: the same in all; a near size; `k * symbol + c`, near
 * symbols first; `k * product of symbols`. `undefined` where nothing holds in every trace.
 */
export function fitSize(observed: readonly number[], { symbols, near, far }: FitSizeOptions): Size | undefined {
  const [first] = observed;
  if (first !== undefined && observed.every((value) => value === first)) return staticSize(first);
  const valueIn =
    (trace: number) =>
    (symbol: number): number =>
      symbols[symbol]?.observed[trace] ?? Number.NaN;
  const same = near.find((size) => observed.every((value, trace) => value === evaluateSize(size, valueIn(trace))));
  if (same !== undefined) return same;

  const nearSymbols = [...new Set(near.flatMap(listSymbols))];
  const fitSymbol = (candidates: readonly number[]): Size | undefined => {
    for (const symbol of candidates) {
      const line = fitLine(observed, symbols[symbol]?.observed ?? []);
      if (line !== undefined) return productSize([symbol], line.coefficient, line.offset);
    }
    return undefined;
  };
  const fit = (candidates: readonly number[]): Size | undefined => {
    const exact = candidates.find((symbol) => equalNumbers(observed, symbols[symbol]?.observed ?? []));
    return exact === undefined ? fitSymbol(candidates) : productSize([exact]);
  };
  return (
    fit(nearSymbols) ??
    fit(far) ??
    fitProduct(observed, nearSymbols, symbols) ??
    fitProduct(observed, [...new Set([...nearSymbols, ...far])], symbols)
  );
}
