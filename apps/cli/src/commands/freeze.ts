import { basename, dirname, join, resolve } from "node:path";

import { selectBackend } from "@ckpt/backend";
import { type ModelSource, quantizedTolerances, readSource, type Source } from "@ckpt/freezer";
import {
  type ArtifactFormat,
  artifactFormats,
  artifactPath,
  CkptError,
  defaultArtifactFormats,
  formatPaths,
  quantizations,
  type QuantizeRule,
  runLayout,
} from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { identifyFolder } from "../identify-folder.js";
import { type LoadedConfig, loadRunConfigIfAny } from "../load-config.js";
import { formatParity, freezeModelStage, freezeRunStage } from "../stages/freeze-stage.js";
import { formatBytes, formatTable, leftColumn, rightColumn } from "../table.js";

interface Arguments {
  readonly source: string;
  readonly out: string | undefined;
  readonly formats: string | undefined;
  readonly tolerance: number | undefined;
  readonly quantize: readonly string[];
}

/** `ckpt freeze`: checkpoints to artifacts. */
export const freezeCommand: Command<Arguments> = {
  usage: "freeze <source>",
  summary: "Turn checkpoints into verified frozen artifacts",
  examples: [
    ["freeze runs/dense", "every checkpoint of a run, into runs/dense/artifacts"],
    ["freeze path/to/model.json --out frozen --formats onnx,graph-def", "one LayersModel, two formats"],
    ["freeze runs/dense --quantize u8 --quantize 'u16=dense_1/*'", "a smaller GraphModel, one layer of it finer"],
  ],
  repeatable: ["quantize"],
  options: (parser) =>
    parser
      .positional("source", {
        type: "string",
        demandOption: true,
        describe: "A run, a checkpoint folder, or a tfjs LayersModel's model.json",
      })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe:
          "Artifact folder; default: in the run's artifacts/, artifact/ beside a model.json, or CHECKPOINT.artifact",
      })
      .option("formats", {
        type: "string",
        requiresArg: true,
        describe: `Comma-separated: ${artifactFormats.join(",")}; default: ${defaultArtifactFormats.join(",")}`,
      })
      .option("tolerance", {
        type: "number",
        requiresArg: true,
        describe: `Largest accepted absolute error; default: 1e-5, for a quantized GraphModel ${describeTolerances()}`,
      })
      .option("quantize", {
        type: "string",
        array: true,
        default: [],
        requiresArg: true,
        describe:
          "How the GraphModel stores its weights: u16, f16, u8 or none, or FORM=PATTERN of weight names with * and ?; " +
          "may be repeated, the last that matches counts. u16 is as small as f16 and closer on ordinary weights",
      }),
  run: async ({ source: path, out, formats, tolerance, quantize }, context) => {
    const source = await readSource(path);
    const config = await findConfig(source);
    // One folder cannot hold them all, and outside the run their checkpoints' names would say nothing.
    if (source.kind === "run" && out !== undefined) {
      throw new CkptError("INVALID_OPTION", { option: "--out", expected: "one checkpoint or model", found: "a run" });
    }
    await selectBackend(config?.config.backend);
    const options = {
      ...config?.config.freeze,
      ...(formats === undefined ? {} : { formats: parseFormats(formats) }),
      ...(tolerance === undefined ? {} : { tolerance }),
      ...(quantize.length === 0 ? {} : { quantize: quantize.map(parseQuantizeRule) }),
    };
    const results =
      source.kind === "run"
        ? await freezeRunStage(source, options, context)
        : [await freezeModelStage(source, out ?? (await chooseTarget(source)), options, context)];
    const skipped = source.kind === "run" ? source.skipped : [];
    const rows = results.map((result) => [
      result.path,
      result.manifest.formats.join(","),
      formatBytes(result.manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0)),
      formatParity(result.manifest.parity),
    ]);
    return {
      document: {
        artifacts: results.map((result) => ({
          path: result.path,
          digest: result.manifest.digest,
          source: result.manifest.source,
          isReused: result.isReused,
          signature: result.manifest.signature,
          formats: Object.fromEntries(
            result.manifest.formats.map((format) => [format, join(result.path, formatPaths[format])]),
          ),
          quantization: result.manifest.quantization,
          parity: result.manifest.parity,
          unverified: result.unverified,
        })),
        skipped,
      },
      text: formatTable(
        [leftColumn("artifact"), leftColumn("formats"), rightColumn("size"), rightColumn("max error")],
        rows,
      ),
      exitCode: skipped.length > 0 ? exitCodes.badInput : exitCodes.ok,
    };
  },
};

/** The configuration registers custom layers; where there is none, the model is frozen without. */
async function findConfig(source: Source): Promise<LoadedConfig | undefined> {
  if (source.kind === "layers-model") return undefined;
  const run = source.kind === "run" ? source.path : dirname(dirname(resolve(source.path)));
  return (await identifyFolder(run)) === "run" ? loadRunConfigIfAny(run) : undefined;
}

async function chooseTarget(source: ModelSource): Promise<string> {
  if (source.kind === "layers-model") return join(dirname(source.path), "artifact");
  const checkpoints = dirname(source.path);
  const run = dirname(checkpoints);
  return basename(checkpoints) === runLayout.checkpoints && (await identifyFolder(run)) === "run"
    ? artifactPath(run, basename(source.path))
    : `${source.path.replace(/[/\\]+$/, "")}.artifact`;
}

function parseFormats(text: string): readonly ArtifactFormat[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !artifactFormats.some((format) => format === name));
  if (unknown !== undefined) {
    const expected = artifactFormats.join(", ");
    throw new CkptError("INVALID_OPTION", { option: "--formats", expected, found: unknown });
  }
  return artifactFormats.filter((format) => names.includes(format));
}

/** `u8` is every weight; `u16=dense/*` those whose name is like that. */
function parseQuantizeRule(text: string): QuantizeRule {
  const [form = "", ...pattern] = text.split("=");
  const as = quantizations.find((each) => each === form);
  const weights = pattern.length === 0 ? "*" : pattern.join("=");
  if (as !== undefined && weights !== "") return { as, weights };
  const expected = `one of ${quantizations.join(", ")}, alone or with =PATTERN behind it`;
  throw new CkptError("INVALID_OPTION", { option: "--quantize", expected, found: text });
}

function describeTolerances(): string {
  const forms = quantizations.filter((form) => form !== "none");
  return forms.map((form) => `${quantizedTolerances[form]} (${form})`).join(", ");
}
