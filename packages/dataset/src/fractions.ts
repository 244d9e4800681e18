import { CkptError, type SplitRole } from "@ckpt/manifest";

/** The share of the rows that each role gets; the shares sum to 1. `{ test: 1 }` takes all rows as one split. */
export type Fractions = Readonly<Partial<Record<SplitRole, number>>>;

/** All roles in the order in which splits are returned and fractions are laid out on [0, 1). */
export const splitRoles: readonly SplitRole[] = ["train", "validation", "select", "test"];

/** A role and the upper end (exclusive) of its part of [0, 1). */
export interface RoleRange {
  readonly role: SplitRole;
  readonly end: number;
}

/**
 * Lays the roles end to end on [0, 1), in the order of {@link splitRoles}; the last one's end is 1.
 *
 * @throws {CkptError} INVALID_OPTION when a fraction is not above 0, a role is unknown, or the sum is not 1.
 */
export function layOutFractions(fractions: Fractions, option: string): readonly RoleRange[] {
  for (const [role, fraction] of Object.entries(fractions)) {
    if (!splitRoles.some((known) => known === role)) {
      throw new CkptError("INVALID_OPTION", { option, expected: `roles out of ${splitRoles.join(", ")}`, found: role });
    }
    if (!(typeof fraction === "number" && fraction > 0)) {
      const expected = "a number above 0";
      throw new CkptError("INVALID_OPTION", { option: `${option}.${role}`, expected, found: String(fraction) });
    }
  }
  const roles = splitRoles.filter((role) => fractions[role] !== undefined);
  const ranges: RoleRange[] = [];
  let sum = 0;
  for (const [index, role] of roles.entries()) {
    sum += fractions[role] ?? 0;
    ranges.push({ role, end: index === roles.length - 1 ? 1 : sum });
  }
  // Ten decimal fractions such as 0.1 add up to 1 - 1.1e-16.
  if (Math.abs(sum - 1) > 1e-9) {
    throw new CkptError("INVALID_OPTION", { option, expected: "fractions that sum to 1", found: `a sum of ${sum}` });
  }
  return ranges;
}

/** Text such as `train 0.8, test 0.2`, for messages. */
export function describeFractions(fractions: Fractions): string {
  return splitRoles
    .filter((role) => fractions[role] !== undefined)
    .map((role) => `${role} ${fractions[role]}`)
    .join(", ");
}
