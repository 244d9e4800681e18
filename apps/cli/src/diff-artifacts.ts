import type { ArtifactComparison, GraphComparison, WeightDifference } from "@ckpt/freezer";
import { type ArtifactManifest, CkptError, type Signature } from "@ckpt/manifest";

import type { CommandResult } from "./command-context.js";
import { describeFormatSize, describeOutput, describeRule, describeSource } from "./describe-artifact.js";
import { describeSignature } from "./describe-signature.js";
import { identifyFolder } from "./identify-folder.js";
import { formatCount, formatTable, leftColumn, rightColumn } from "./table.js";

/**
 * Compares two artifacts by what they are: manifests, nodes and weights.
 *
 * @throws {CkptError} ARTIFACT_NOT_FOUND; INVALID_OPTION for a folder of another kind.
 */
export async function diffArtifacts(first: string, second: string): Promise<Omit<CommandResult, "exitCode">> {
  const paths = [first, second] as const;
  for (const path of paths) await requireArtifact(path);
  const { compareArtifacts } = await import("@ckpt/freezer");
  const comparison = await compareArtifacts(first, second);
  const fields = compareFields(comparison);
  return {
    document: { paths, ...describeComparison(comparison, fields) },
    text: formatComparison(paths, comparison, fields),
  };
}

async function requireArtifact(path: string): Promise<void> {
  const kind = await identifyFolder(path);
  if (kind === "artifact") return;
  if (kind === undefined) throw new CkptError("ARTIFACT_NOT_FOUND", { path });
  const expected = "two artifacts, such as runs/dense/artifacts/step-00000120, or two runs";
  throw new CkptError("INVALID_OPTION", { option: "diff", expected, found: `${kind}: ${path}` });
}

/** Something that both artifacts have or may have, as text; empty where one has it not. */
interface Field {
  readonly name: string;
  readonly values: readonly [string, string];
}

/** What the manifests say, equal or not. */
function compareFields({ manifests }: ArtifactComparison): readonly Field[] {
  const [first, second] = manifests.map((manifest) => new Map(listFields(manifest)));
  const names = new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])]);
  return [...names].map((name) => ({ name, values: [first?.get(name) ?? "", second?.get(name) ?? ""] }));
}

function listFields(manifest: ArtifactManifest): readonly (readonly [string, string])[] {
  const { cut, signature, furtherSignatures = {}, formats, tolerance, quantization, graph, parity } = manifest;
  const tensors = describeSignature(signature).map(([side, text]) => {
    const [name = "", ...rest] = text.split(/ (?=\S+ \[)/);
    return [`${side} ${name}`, rest.join(" ")] as const;
  });
  const ops = Object.entries(graph?.ops ?? {}).map(([op, count]) => [`operation ${op}`, formatCount(count)] as const);
  const { parameterCount, flopsPerExample } = graph ?? {};
  return [
    ["source", describeSource(manifest)],
    ["begins at", cut?.inputs?.join(", ") ?? ""],
    ["ends at", cut?.outputs?.join(", ") ?? ""],
    ...tensors,
    ...Object.entries(furtherSignatures).map(([key, each]) => [`signature ${key}`, listNames(each)] as const),
    ...ops,
    ["parameters", parameterCount === undefined ? "" : formatCount(parameterCount)],
    ["flops", flopsPerExample === undefined ? "" : formatCount(flopsPerExample)],
    ...formats.map((format) => [`size ${format}`, describeFormatSize(manifest, format)] as const),
    ["tolerance", String(tolerance)],
    ["unrolled up to", String(manifest.maxUnrolledSteps ?? "")],
    ["quantized", quantization?.rules.map(describeRule).join(", ") ?? ""],
    ["tolerance when quantized", String(quantization?.tolerance ?? "")],
    // A format is run by one engine, and where it is there by tfjs-node besides.
    ...parity.map(
      ({ format, engine, maxAbsoluteError, ...record }) =>
        [
          `parity ${format} ${describeOutput(record)}${engine === "tfjs-node" ? " in tfjs-node" : ""}`,
          maxAbsoluteError.toExponential(1),
        ] as const,
    ),
  ];
}

function listNames({ outputs }: Signature): string {
  return outputs.map(({ name }) => name).join(", ");
}

function isDifferent({ values: [first, second] }: Field): boolean {
  return first !== second;
}

function describeComparison({ manifests, graph }: ArtifactComparison, fields: readonly Field[]) {
  return {
    isSame: manifests[0].digest === manifests[1].digest,
    digests: manifests.map(({ digest }) => digest),
    fields: fields.filter(isDifferent),
    graph,
  };
}

function formatComparison(
  paths: readonly [string, string],
  { manifests, graph }: ArtifactComparison,
  fields: readonly Field[],
): string {
  if (manifests[0].digest === manifests[1].digest) return "the same artifact\n";
  const rows = fields
    .filter(isDifferent)
    .map(({ name, values: [first, second] }) => [name, first || "-", second || "-"]);
  const table = formatTable([leftColumn(""), ...paths.map(leftColumn)], rows);
  return `${table}\n${graph === undefined ? "graphs: no format with a graph in common\n" : formatGraph(graph)}`;
}

function formatGraph({ format, onlyIn, changed, weightCount, weights }: GraphComparison): string {
  const nodes = [
    ...onlyIn[0].map((name) => `node only in the first: ${name}\n`),
    ...onlyIn[1].map((name) => `node only in the second: ${name}\n`),
    ...changed.map((name) => `node changed: ${name}\n`),
  ];
  const summary = `weights: ${weights.length} of ${weightCount} differ, read from ${format}\n`;
  if (weights.length === 0) return `${nodes.join("")}${summary}`;
  const columns = [leftColumn("weight"), leftColumn("shape"), rightColumn("max difference"), rightColumn("rms")];
  return `${nodes.join("")}${summary}${formatTable(columns, weights.map(toRow))}`;
}

function toRow({ name, shapes, maxAbsoluteDifference, rmsDifference }: WeightDifference): readonly string[] {
  const [first, second] = shapes.map((shape) => `[${shape.join(", ")}]`);
  return [
    name,
    first === second ? (first ?? "") : `${first} and ${second}`,
    maxAbsoluteDifference?.toExponential(1) ?? "-",
    rmsDifference?.toExponential(1) ?? "-",
  ];
}
