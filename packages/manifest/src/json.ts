/** A value that JSON can carry without loss. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Serializes with object keys in a fixed order and no white space, so that equal values give equal text whatever the
 * order they were written in. The order is JavaScript's: array indices by number, then all other keys by code unit.
 * Keys whose value is `undefined` are left out.
 */
export function serializeCanonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
