import { createHash } from "node:crypto";

import type { ErrorCode } from "../../src/index.js";
import { type Kind, kinds, samples } from "../samples.js";

/** A file that breaks one invariant of docs/formats.md and keeps the others as far as it can. */
export interface Attack {
  readonly invariant: string;
  readonly name: string;
  readonly kind: Kind;
  readonly text: string | Uint8Array;
  readonly code: ErrorCode;
  /** Path of the issue that names it, for MANIFEST_INVALID. */
  readonly issue: string;
}

/** Seals by the rule of docs/formats.md, independent of the code under test: what a hostile writer would do. */
function seal(content: object): string {
  return `${JSON.stringify({ ...content, digest: sha256(JSON.stringify(content)) }, null, 2)}\n`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** A document whose text is `content` as written, with the digest of its value. */
function sealText(content: string): string {
  const digest = sha256(JSON.stringify(JSON.parse(content)));
  return `${content.slice(0, content.lastIndexOf("\n}"))},\n  "digest": "${digest}"\n}\n`;
}

const checkpoint = samples.checkpoint;
const written = JSON.stringify(checkpoint, null, 2);
const whole = seal(checkpoint);
const [entry] = checkpoint.files;

function broken(
  invariant: string,
  issue: string,
  texts: Readonly<Record<string, string | Uint8Array>>,
  kind: Kind = "checkpoint",
): readonly Attack[] {
  return Object.entries(texts).map(([name, text]) => ({
    invariant,
    name,
    kind,
    text,
    code: "MANIFEST_INVALID",
    issue,
  }));
}

const notText: readonly Attack[] = broken("D1", "", {
  "a byte that is no UTF-8": Buffer.from(whole.replace("valLoss improved", "val\u00FFoss improved"), "latin1"),
  "half a character": Buffer.concat([Buffer.from(whole).subarray(0, -1), Buffer.from([0xc3])]),
  "an overlong slash": Buffer.concat([Buffer.from('{"a": "'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}\n')]),
  "a surrogate in UTF-8": Buffer.concat([Buffer.from('{"a": "'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}\n')]),
});

const notAnObject: readonly Attack[] = broken("D2", "", {
  "nothing at all": "",
  "only white space": "\n",
  "another JSON value": "[]\n",
  null: "null\n",
  "a byte order mark": `\uFEFF${whole}`,
  "a trailing comma": whole.replace(/"\n\}\n$/, '",\n}\n'),
  "a comment": `// hostile\n${whole}`,
  "two documents": whole + whole,
  "arrays 100,000 deep": "[".repeat(100_000),
  "objects 100,000 deep": `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
  "a number beyond every number": sealText(written.replace('"step": 120', '"step": 1e999')),
});

const notSealed: readonly Attack[] = broken("D3", "digest", {
  "no digest": `${written}\n`,
  "the digest of other content": whole.replace('"step": 120', '"step": 121'),
  "a digest in capitals": whole.replace(/"digest": "(.*)"/, (_all, hex: string) => `"digest": "${hex.toUpperCase()}"`),
  "a digest that is no text": whole.replace(/"digest": ".*"/, '"digest": 0'),
  "one more field": whole.replace('"step": 120', '"extra": {},\n  "step": 120'),
  "one more field named __proto__": whole.replace('"step": 120', '"__proto__": {"step": 0},\n  "step": 120'),
});

const notCanonical: readonly Attack[] = broken("D4", "", {
  "no white space": JSON.stringify(JSON.parse(whole)),
  "one more space": whole.replace('"step": 120', '"step":  120'),
  "no final line feed": whole.trimEnd(),
  "line feeds of another system": whole.replaceAll("\n", "\r\n"),
  "the digest first": `${JSON.stringify({ digest: sha256(JSON.stringify(checkpoint)), ...checkpoint }, null, 2)}\n`,
  "a field twice, the first one hidden": sealText(written.replace('"step": 120', '"step": 999,\n  "step": 120')),
  "the digest twice": whole.replace('"digest"', '"digest": "",\n  "digest"'),
  "a number with a fraction of zero": sealText(written.replace('"step": 120', '"step": 120.0')),
  "a number with an exponent": sealText(written.replace('"step": 120', '"step": 1.2e2')),
  "minus zero": sealText(written.replace('"epoch": 3', '"epoch": -0')),
  "more digits than a number has": sealText(written.replace('"step": 120', '"step": 120.00000000000000000001')),
  "a letter as an escape": sealText(written.replace('"reason"', '"\\u0072eason"')),
  "a lone surrogate's escape in capitals": sealText(written.replace("valLoss", "val\\uD800oss")),
  "array indices out of their order": sealText(written.replace(/"1": 1e-7,\s*"loss": \S+,/, '"loss": 1,\n    "1": 1,')),
});

const wrongKind: readonly Attack[] = [
  ...kinds.flatMap((kind) =>
    broken("D5", "kind", { "a document of another kind": seal(kind === "run" ? checkpoint : samples.run) }, kind),
  ),
  ...broken("D5", "kind", {
    "no kind": seal({ schemaVersion: 1 }),
    "a kind in capitals": seal({ ...checkpoint, kind: "Checkpoint" }),
    "a kind that is no text": seal({ ...checkpoint, kind: ["checkpoint"] }),
    "a kind of the prototype": seal({ schemaVersion: 1, ["__proto__"]: { kind: "checkpoint" } }),
  }),
];

const wrongVersion: readonly Attack[] = [
  ...kinds.map((kind): Attack => ({
    invariant: "D6",
    name: "a newer version with fields that are not known yet",
    kind,
    text: seal({ kind, schemaVersion: 2, future: [] }),
    code: "SCHEMA_TOO_NEW",
    issue: "",
  })),
  ...broken("D6", "schemaVersion", {
    "no version": seal({ ...checkpoint, schemaVersion: undefined }),
    "version 0": seal({ ...checkpoint, schemaVersion: 0 }),
    "half a version": seal({ ...checkpoint, schemaVersion: 0.5 }),
    "a version as text": seal({ ...checkpoint, schemaVersion: "1" }),
  }),
];

/** Optional fields of the samples, and those of the header, whose absence has another error. */
const unrequired = new Set([
  "kind",
  "schemaVersion",
  "result",
  "classes",
  "confusion",
  "pick",
  "weights",
  "groups",
  "slices",
]);

const wrongFields: readonly Attack[] = [
  ...kinds.flatMap((kind) =>
    Object.keys(samples[kind])
      .filter((field) => !unrequired.has(field))
      .flatMap((field) =>
        broken("D7", field, { [`without ${field}`]: seal({ ...samples[kind], [field]: undefined }) }, kind),
      ),
  ),
  ...broken("D7", "step", { "a negative step": seal({ ...checkpoint, step: -1 }) }),
  ...broken("D7", "step", { "a step beyond exact integers": seal({ ...checkpoint, step: 2 ** 53 }) }),
  ...broken("D7", "metrics.loss", { "a metric that is no number": seal({ ...checkpoint, metrics: { loss: null } }) }),
  ...broken("D7", "metrics.loss", { "a metric's number as text": seal({ ...checkpoint, metrics: { loss: "0.5" } }) }),
  ...broken("D7", "signature.outputs", {
    "no outputs": seal({ ...checkpoint, signature: { inputs: [], outputs: [] } }),
  }),
  ...broken("D7", "signature.outputs.0.shape.0", {
    "a negative dimension": seal({
      ...checkpoint,
      signature: { inputs: [], outputs: [{ name: "y", dtype: "float32", shape: [-1] }] },
    }),
  }),
  ...broken("D7", "files.0.sha256", { "a short digest": seal({ ...checkpoint, files: [{ ...entry, sha256: "00" }] }) }),
  ...broken("D7", "files.0.sizeBytes", {
    "a negative size": seal({ ...checkpoint, files: [{ ...entry, sizeBytes: -1 }] }),
  }),
  ...broken(
    "D7",
    "configDigest",
    { "a digest of the wrong length": seal({ ...samples.run, configDigest: "0" }) },
    "run",
  ),
  ...broken(
    "D7",
    "data.0.role",
    {
      "a role nobody has": seal({ ...samples.run, data: [{ ...samples.run.data[0], role: "dev" }] }),
    },
    "run",
  ),
  ...broken("D7", "result", { "a result that is null": seal({ ...samples.run, result: null }) }, "run"),
  ...broken("D7", "formats", { "no formats": seal({ ...samples.artifact, formats: [] }) }, "artifact"),
  ...broken(
    "D7",
    "formats.0",
    { "a format nobody has": seal({ ...samples.artifact, formats: ["pickle"] }) },
    "artifact",
  ),
  ...broken(
    "D7",
    "parity.0.maxAbsoluteError",
    {
      "an error below zero": seal({
        ...samples.artifact,
        parity: [{ ...samples.artifact.parity[0], maxAbsoluteError: -1 }],
      }),
    },
    "artifact",
  ),
  ...broken(
    "D7",
    "output.dtype",
    {
      "a dtype nobody has": seal({ ...samples.evaluation, output: { ...samples.evaluation.output, dtype: "float64" } }),
    },
    "evaluation",
  ),
  ...broken("D7", "confusion.0.0", { "half a row": seal({ ...samples.metrics, confusion: [[0.5]] }) }, "metrics"),
  ...broken(
    "D7",
    "metrics.accuracy.interval",
    {
      "an interval with three ends": seal({
        ...samples.metrics,
        metrics: { accuracy: { value: 1, interval: [0, 1, 2] } },
      }),
    },
    "metrics",
  ),
  ...broken(
    "D7",
    "candidates.0.rank",
    {
      "rank 0": seal({ ...samples.ranking, candidates: [{ ...samples.ranking.candidates[0], rank: 0 }] }),
    },
    "ranking",
  ),
  ...broken(
    "D7",
    "metric.mode",
    {
      "a mode that is neither": seal({ ...samples.ranking, metric: { name: "accuracy", mode: "auto" } }),
    },
    "ranking",
  ),
];

const committing = ["checkpoint", "artifact", "evaluation"] as const;

const outside: readonly Attack[] = committing.flatMap((kind) =>
  ["../../../etc/passwd", "/etc/passwd", "a/../../x", "..\\x", "C:/x", "a\0", "", "."].flatMap((path) =>
    broken(
      "D8",
      "files.0.path",
      {
        [`a file at ${JSON.stringify(path)}`]: seal({ ...samples[kind], files: [{ ...samples[kind].files[0], path }] }),
      },
      kind,
    ),
  ),
);

const twice: readonly Attack[] = committing.flatMap((kind) => {
  const { files } = samples[kind];
  return broken("D9", "files", { "a file twice": seal({ ...samples[kind], files: [...files, ...files] }) }, kind);
});

export const attacks: readonly Attack[] = [
  ...notText,
  ...notAnObject,
  ...notSealed,
  ...notCanonical,
  ...wrongKind,
  ...wrongVersion,
  ...wrongFields,
  ...outside,
  ...twice,
];
