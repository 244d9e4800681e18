import { CkptError, type Quantization, type QuantizeRule } from "@ckpt/manifest";

/**
 * Finds the storage of each weight: what the last rule says whose pattern matches its name, and `none` where no rule
 * does. So the general rule comes first, and its exceptions after it.
 *
 * @param names - Of the weights that can be stored otherwise at all.
 * @throws {CkptError} INVALID_OPTION for a rule that matches no weight: it is a slip, and would do nothing.
 */
export function chooseQuantizations(
  rules: readonly QuantizeRule[],
  names: readonly string[],
): ReadonlyMap<string, Quantization> {
  const chosen = new Map<string, Quantization>();
  for (const { as, weights } of rules) {
    const pattern = compilePattern(weights);
    const matched = names.filter((name) => pattern.test(name));
    if (matched.length === 0) {
      const expected = `a pattern of weight names (${describeNames(names)})`;
      throw new CkptError("INVALID_OPTION", { option: "quantize", expected, found: weights });
    }
    for (const name of matched) chosen.set(name, as);
  }
  return chosen;
}

function compilePattern(text: string): RegExp {
  const source = text
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}

/** So many names are enough to see how they are made. */
const shownNames = 8;

function describeNames(names: readonly string[]): string {
  if (names.length === 0) return "there is no float32 weight of more than one element";
  const more = names.length > shownNames ? `, and ${names.length - shownNames} more` : "";
  return `${names.slice(0, shownNames).join(", ")}${more}`;
}
