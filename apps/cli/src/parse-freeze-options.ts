import { type ArtifactFormat, artifactFormats, CkptError, quantizations, type QuantizeRule } from "@ckpt/manifest";

/** Names with commas between them. */
export function splitNames(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim());
}

/**
 * Formats with commas between them, in the order in which artifacts have them.
 *
 * @throws {CkptError} INVALID_OPTION for one that does not exist.
 */
export function parseFormats(text: string): readonly ArtifactFormat[] {
  const names = splitNames(text);
  const unknown = names.find((name) => !artifactFormats.some((format) => format === name));
  if (unknown !== undefined) {
    const expected = artifactFormats.join(", ");
    throw new CkptError("INVALID_OPTION", { option: "--formats", expected, found: unknown });
  }
  return artifactFormats.filter((format) => names.includes(format));
}

/**
 * Further signatures, each as `embed=encoder/dense_1,classes`.
 *
 * @throws {CkptError} INVALID_OPTION for another form, or a key that comes twice.
 */
export function parseSignatures(
  texts: readonly string[],
): Readonly<Record<string, { readonly outputs: readonly string[] }>> {
  const signatures = new Map<string, { readonly outputs: readonly string[] }>();
  for (const text of texts) {
    const [, key = "", outputs = ""] = /^(\w+)=(.+)$/.exec(text) ?? [];
    if (outputs === "" || signatures.has(key)) {
      const expected = "KEY=OUTPUTS with another key each time, such as embed=encoder/dense_1";
      throw new CkptError("INVALID_OPTION", { option: "--further-signature", expected, found: text });
    }
    signatures.set(key, { outputs: splitNames(outputs) });
  }
  return Object.fromEntries(signatures);
}

/**
 * How weights are stored: `u8` is every weight; `u16=dense/*` those whose name is like that.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function parseQuantizeRule(text: string): QuantizeRule {
  const [form = "", ...pattern] = text.split("=");
  const as = quantizations.find((each) => each === form);
  const weights = pattern.length === 0 ? "*" : pattern.join("=");
  if (as !== undefined && weights !== "") return { as, weights };
  const expected = `one of ${quantizations.join(", ")}, alone or with =PATTERN behind it`;
  throw new CkptError("INVALID_OPTION", { option: "--quantize", expected, found: text });
}
