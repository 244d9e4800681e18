import {
  type ArtifactFormat,
  type ArtifactManifest,
  type FileEntry,
  listFormatFiles,
  type ParityRecord,
  type QuantizeRule,
  type Signature,
} from "@ckpt/manifest";

import { describeSignature, type Lines } from "./describe-signature.js";
import { formatBytes, formatCount } from "./table.js";

/** What the manifest of an artifact says, in lines; of parity the absolute errors. */
export function describeArtifact(manifest: ArtifactManifest): Lines {
  return [
    ["source", describeSource(manifest)],
    ...describeCut(manifest.cut),
    ...describeSignature(manifest.signature),
    ...Object.entries(manifest.furtherSignatures ?? {}).map(
      ([key, each]) => ["signature", describePiece(key, each)] as const,
    ),
    ...describeGraph(manifest.graph),
    ...manifest.formats.map((format) => [format, describeFormatSize(manifest, format)] as const),
    ...(manifest.maxUnrolledSteps === undefined
      ? []
      : [["unrolled", `recurrences of up to ${formatCount(manifest.maxUnrolledSteps)} steps`] as const]),
    ...(manifest.quantization?.rules ?? []).map((rule) => ["quantized", describeRule(rule)] as const),
    ...manifest.parity.map(
      ({ engine, maxAbsoluteError, batchSizes, probeRows, ...record }) =>
        [
          "parity",
          `${record.format} in ${engine}: ${describeOutput(record)} within ${maxAbsoluteError.toExponential(1)}, ` +
            `batches ${batchSizes.join(" ")}${probeRows === undefined ? "" : `, ${probeRows} rows of the data`}`,
        ] as const,
    ),
    ["size", describeSize(manifest.files)],
  ];
}

/** The bytes of files together. */
export function describeSize(files: readonly FileEntry[]): string {
  const size = formatBytes(files.reduce((sum, file) => sum + file.sizeBytes, 0));
  return files.length === 1 ? size : `${size} in ${files.length} files`;
}

/** What was frozen, with the beginning of its digest. */
export function describeSource({ source, pins = {} }: ArtifactManifest): string {
  const { kind, digest, step, signatureKey, isAveraged } = source;
  return [
    `${kind}${step === undefined ? "" : ` of step ${step}`}`,
    digest.slice(0, 12),
    ...(signatureKey === undefined ? [] : [`signature ${signatureKey}`]),
    ...(isAveraged ? ["moving averages"] : []),
    ...Object.entries(pins).map(([name, value]) => `${name}=${value}`),
  ].join(", ");
}

/** The bytes of one format of an artifact. */
export function describeFormatSize(manifest: ArtifactManifest, format: ArtifactFormat): string {
  return describeSize(listFormatFiles(manifest, format));
}

/** An output, with the key of its signature where that is not the artifact's own. */
export function describeOutput({ output, signature }: Pick<ParityRecord, "output" | "signature">): string {
  return signature === undefined ? output : `${output} of ${signature}`;
}

/** How weights are stored, and which. */
export function describeRule({ as, weights }: QuantizeRule): string {
  return `${as} ${weights}`;
}

/** Operations by how often they are there. */
export function describeOps(ops: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(ops).toSorted(([, first], [, second]) => second - first);
  return sorted.map(([op, count]) => `${formatCount(count)} ${op}`).join(", ");
}

function describeCut(cut: ArtifactManifest["cut"] = {}): Lines {
  const ends = [
    ["begins at", cut.inputs],
    ["ends at", cut.outputs],
  ] as const;
  return ends.flatMap(([what, names]) =>
    names === undefined ? [] : [["piece", `${what} ${names.join(", ")}`] as const],
  );
}

function describePiece(key: string, { inputs, outputs }: Signature): string {
  const [from, to] = [inputs, outputs].map((specs) => specs.map(({ name }) => name).join(", "));
  return `${key}: ${to} of ${from}`;
}

function describeGraph(graph: ArtifactManifest["graph"]): Lines {
  if (graph === undefined) return [["graph", "not measured: frozen by an older ckpt"]];
  const flops = graph.flopsPerExample;
  return [
    ["operations", describeOps(graph.ops)],
    ["parameters", formatCount(graph.parameterCount)],
    [
      "flops",
      flops === undefined
        ? "unknown: a size is open besides the batch, or an operation has no formula"
        : `${formatCount(flops)} per example`,
    ],
  ];
}
