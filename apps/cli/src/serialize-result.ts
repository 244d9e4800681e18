/** Version of the document that `--json` prints. */
const documentVersion = 1;

/**
 * The one document that `--json` prints, led by its own `schemaVersion`. JSON has no NaN and no infinity: they become
 * the strings `NaN`, `Infinity` and `-Infinity`, as in the manifests.
 */
export function serializeResult(content: object): string {
  const document = { schemaVersion: documentVersion, ...content };
  return `${JSON.stringify(document, replaceNotFinite, 2)}\n`;
}

function replaceNotFinite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
