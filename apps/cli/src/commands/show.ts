import { extname, join } from "node:path";

import type { ArtifactDrawing, DrawingFormat } from "@ckpt/freezer";
import {
  artifactManifestType,
  type CheckpointManifest,
  checkpointManifestType,
  CkptError,
  type EvaluationManifest,
  evaluationManifestType,
  isCkptError,
  manifestNames,
  type MetricsManifest,
  metricsManifestType,
  readDocument,
  replaceFile,
  restoreMetrics,
  type RunManifest,
  runLayout,
  runManifestType,
} from "@ckpt/manifest";

import type { Command } from "../command.js";
import { describeArtifact, describeSize } from "../describe-artifact.js";
import { describeSignature, type Lines } from "../describe-signature.js";
import { exitCodes } from "../exit-code.js";
import { type FolderKind, identifyFolder } from "../identify-folder.js";
import { formatMetric, formatTable, leftColumn } from "../table.js";

interface Arguments {
  readonly path: string;
  readonly graph: string | undefined;
}

/** `ckpt show`: one manifest in readable form. */
export const showCommand: Command<Arguments> = {
  usage: "show <path>",
  summary: "Show one run, checkpoint, artifact or evaluation",
  examples: [
    ["show runs/dense/best", "signature, formats and parity of the pick"],
    ["show runs/dense/checkpoints/step-00000120 --json", "the manifest as JSON"],
    ["show runs/dense/best --graph graph.svg", "a picture of its operations"],
  ],
  options: (parser) =>
    parser
      .positional("path", { type: "string", demandOption: true, describe: "Any folder with a manifest" })
      .option("graph", {
        type: "string",
        requiresArg: true,
        describe: "Draw an artifact's graph into this .svg or .mmd file; `svg` or `mermaid`: on stdout instead",
      }),
  run: async ({ path, graph }, { progress }) => {
    const kind = await identifyFolder(path);
    if (kind === undefined) throw new CkptError("MANIFEST_MISSING", { path });
    const { manifest, lines } = await showFolder[kind](path);
    const text = formatTable([leftColumn(kind), leftColumn(path)], lines);
    if (graph === undefined) return { document: { path, manifest }, text, exitCode: exitCodes.ok };
    if (kind !== "artifact") {
      throw new CkptError("INVALID_OPTION", { option: "--graph", expected: "an artifact", found: `${kind}: ${path}` });
    }
    const { drawing, file } = await drawGraph(path, graph);
    if (drawing.omissions !== undefined) progress.warn(`graph     ${drawing.omissions}`);
    const { format, omissions } = drawing;
    const place = file === undefined ? { text: drawing.text } : { file };
    return {
      document: { path, manifest, graph: { format, omissions, ...place } },
      text: file === undefined ? drawing.text : `${text}graph written to ${file}\n`,
      exitCode: exitCodes.ok,
    };
  },
};

/** Draws to the file that is named, or to none for a form that is named instead of one. */
async function drawGraph(path: string, target: string): Promise<{ drawing: ArtifactDrawing; file?: string }> {
  const forms: Readonly<Record<string, DrawingFormat>> = {
    svg: "svg",
    mermaid: "mermaid",
    ".svg": "svg",
    ".mmd": "mermaid",
  };
  const form = forms[target] ?? forms[extname(target)];
  if (form === undefined) {
    const expected = "a file name that ends in .svg or .mmd, or `svg` or `mermaid`";
    throw new CkptError("INVALID_OPTION", { option: "--graph", expected, found: target });
  }
  // TensorFlow.js, which the freezer loads, is not needed to show a manifest.
  const { drawArtifact } = await import("@ckpt/freezer");
  const drawing = await drawArtifact(path, form);
  if (target in forms) return { drawing };
  await replaceFile(target, drawing.text);
  return { drawing, file: target };
}

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

function describeEvaluation(manifest: EvaluationManifest): Lines {
  return [
    ["artifact", `${manifest.artifact.id} as ${manifest.artifact.format}`],
    ["split", `${manifest.split.name}, ${manifest.split.rowCount} rows`],
    ["engine", `${manifest.engine.name} ${manifest.engine.version}`],
  ];
}
