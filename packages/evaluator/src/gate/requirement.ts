import { CkptError } from "@ckpt/manifest";

import { type Constraint, isMeasure, parseConstraint } from "../constraint.js";

/** The part of the rows that a requirement is about. */
export type RequiredPart =
  | { readonly kind: "slice" | "class"; readonly name: string }
  | { readonly kind: "worst slice" | "worst class" };

/** A threshold that an interval has to be on the right side of. */
export interface Requirement extends Constraint {
  /** Default: all rows. */
  readonly part?: RequiredPart;
}

/**
 * Reads a requirement: a constraint, with the part of the rows it is about in brackets behind the metric:
 * `accuracy>=0.95`, `accuracy[slice=night]>=0.9`, `accuracy[worst slice]>=0.8`, `recall[class=cat]>=0.9`,
 * `recall[worst class]>=0.7`.
 *
 * @throws {CkptError} INVALID_OPTION when it cannot be read, or is about a part of what is no metric, such as bytes.
 */
export function parseRequirement(text: string): Requirement {
  const [, metric, part, bound] = /^([^[\]]*)\[([^\]]*)\](.*)$/.exec(text) ?? [];
  if (metric === undefined || part === undefined || bound === undefined) return parseConstraint(text);
  const constraint = parseConstraint(`${metric}${bound}`);
  const name = metric.trim();
  if (isMeasure(name)) {
    const expected = `${name} without a part: it is not of rows`;
    throw new CkptError("INVALID_OPTION", { option: "require", expected, found: `[${part}]` });
  }
  return {
    ...constraint,
    part: parsePart(part.trim()),
    text: constraint.text.replace(name, `${name}[${part.trim()}]`),
  };
}

function parsePart(text: string): RequiredPart {
  if (text === "worst slice" || text === "worst class") return { kind: text };
  const [, kind, name] = /^(slice|class)=(.+)$/.exec(text) ?? [];
  if ((kind === "slice" || kind === "class") && name !== undefined) return { kind, name };
  const expected = "slice=NAME, class=NAME, worst slice or worst class in the brackets";
  throw new CkptError("INVALID_OPTION", { option: "require", expected, found: `[${text}]` });
}
