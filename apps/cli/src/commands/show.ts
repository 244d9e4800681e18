import { join } from "node:path";

import {
  type ArtifactManifest,
  artifactManifestType,
  type CheckpointManifest,
  checkpointManifestType,
  CkptError,
  type EvaluationManifest,
  evaluationManifestType,
  type FileEntry,
  isCkptError,
  manifestNames,
  type MetricsManifest,
  metricsManifestType,
  readDocument,
  restoreMetrics,
  type RunManifest,
  runLayout,
  runManifestType,
  type Signature,
  type TensorSpec,
} from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { type FolderKind, identifyFolder } from "../identify-folder.js";
import { formatBytes, formatMetric, formatTable, leftColumn } from "../table.js";

interface Arguments {
  readonly path: string;
}

/** `ckpt show`: one manifest in readable form. */
export const showCommand: Command<Arguments> = {
  usage: "show <path>",
  summary: "Show one run, checkpoint, artifact or evaluation",
  examples: [
    ["show runs/dense/best", "signature, formats and parity of the pick"],
    ["show runs/dense/checkpoints/step-00000120 --json", "the manifest as JSON"],
  ],
  options: (parser) =>
    parser.positional("path", { type: "string", demandOption: true, describe: "Any folder with a manifest" }),
  run: async ({ path }) => {
    const kind = await identifyFolder(path);
    if (kind === undefined) throw new CkptError("MANIFEST_MISSING", { path });
    const { manifest, lines } = await showFolder[kind](path);
    const text = formatTable([leftColumn(kind), leftColumn(path)], lines);
    return { document: { path, manifest }, text, exitCode: exitCodes.ok };
  },
};

type Lines = readonly (readonly [string, string])[];

const showFolder: Readonly<Record<FolderKind, (path: string) => Promise<{ manifest: object; lines: Lines }>>> = {
  run: async (path) => {
    const manifest = await readDocument(runManifestType, join(path, runLayout.manifest));
    return { manifest, lines: describeRunManifest(manifest) };
  },
  checkpoint: async (path) => {
    const manifest = await readDocument(checkpointManifestType, join(path, manifestNames.checkpoint));
    return { manifest, lines: [["digest", manifest.digest], ...describeCheckpoint(manifest)] };
  },
  artifact: async (path) => {
    const manifest = await readDocument(artifactManifestType, join(path, manifestNames.artifact));
    return { manifest, lines: [["digest", manifest.digest], ...describeArtifact(manifest)] };
  },
  evaluation: async (path) => {
    const manifest = await readDocument(evaluationManifestType, join(path, manifestNames.evaluation));
    const { metrics = {}, failure } = await readMetrics(path);
    const figures = Object.entries(metrics).map(([name, { value, interval }]): [string, string] => [
      name,
      formatMetric(value) + (interval === undefined ? "" : ` [${interval.map(formatMetric).join(", ")}]`),
    ]);
    return {
      manifest: { ...manifest, metrics, failure },
      lines: [
        ["digest", manifest.digest],
        ...describeEvaluation(manifest),
        ...figures,
        ...(failure === undefined ? [] : [["failure", failure] as const]),
      ],
    };
  },
};

/** An evaluation that was stored but not yet measured has none. */
async function readMetrics(path: string): Promise<Partial<MetricsManifest>> {
  try {
    return await readDocument(metricsManifestType, join(path, manifestNames.metrics));
  } catch (error) {
    if (isCkptError(error, "MANIFEST_MISSING")) return {};
    throw error;
  }
}

function describeRunManifest(manifest: RunManifest): Lines {
  return [
    ["name", manifest.name],
    ["config", manifest.config ?? "-"],
    ["seed", String(manifest.seed)],
    ["backend", manifest.backend],
    [
      "versions",
      Object.entries(manifest.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
    ...manifest.data.map(({ role, rowCount, digest }) => [role, `${rowCount} rows, ${digest.slice(0, 12)}`] as const),
    [
      "result",
      manifest.result === undefined ? "not finished" : `${manifest.result.reason} at step ${manifest.result.step}`,
    ],
  ];
}

function describeCheckpoint(manifest: CheckpointManifest): Lines {
  const metrics = Object.entries(restoreMetrics(manifest.metrics));
  return [
    ["step", String(manifest.step)],
    ["epoch", String(manifest.epoch)],
    ["saved", manifest.reason],
    ...(manifest.parents ?? []).map(({ step, digest }) => ["parent", `step ${step}, ${digest.slice(0, 12)}`] as const),
    ...metrics.map(([name, value]) => [name, formatMetric(value)] as const),
    ...describeSignature(manifest.signature),
    ["size", describeSize(manifest.files)],
  ];
}

function describeArtifact(manifest: ArtifactManifest): Lines {
  const { kind, digest, step } = manifest.source;
  return [
    ["source", `${kind}${step === undefined ? "" : ` of step ${step}`}, ${digest.slice(0, 12)}`],
    ...describeSignature(manifest.signature),
    ["formats", manifest.formats.join(", ")],
    ...manifest.parity.map(
      ({ format, engine, output, maxAbsoluteError, batchSizes }) =>
        [
          "parity",
          `${format} in ${engine}: ${output} within ${maxAbsoluteError.toExponential(1)}, batches ${batchSizes.join(" ")}`,
        ] as const,
    ),
    ["size", describeSize(manifest.files)],
  ];
}

function describeEvaluation(manifest: EvaluationManifest): Lines {
  return [
    ["artifact", `${manifest.artifact.id} as ${manifest.artifact.format}`],
    ["split", `${manifest.split.name}, ${manifest.split.rowCount} rows`],
    ["engine", `${manifest.engine.name} ${manifest.engine.version}`],
  ];
}

function describeSignature({ inputs, outputs }: Signature): Lines {
  return [
    ...inputs.map((spec) => ["input", describeTensor(spec)] as const),
    ...outputs.map((spec) => ["output", describeTensor(spec)] as const),
  ];
}

function describeTensor({ name, dtype, shape }: TensorSpec): string {
  return `${name} ${dtype} [${shape.map((size) => size ?? "?").join(", ")}]`;
}

function describeSize(files: readonly FileEntry[]): string {
  return `${formatBytes(files.reduce((sum, file) => sum + file.sizeBytes, 0))} in ${files.length} files`;
}
