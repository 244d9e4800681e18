import { basename, dirname, join, resolve } from "node:path";

import { selectBackend } from "@ckpt/backend";
import {
  type FreezeResult,
  type GraphOptions,
  type ModelSource,
  quantizedTolerances,
  readSource,
  type Source,
} from "@ckpt/freezer";
import {
  artifactFormats,
  artifactPath,
  CkptError,
  defaultArtifactFormats,
  formatPaths,
  quantizations,
  runLayout,
} from "@ckpt/manifest";

import type { CommandContext } from "../command-context.js";
import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { identifyFolder } from "../identify-folder.js";
import { type LoadedConfig, loadRunConfigIfAny } from "../load-config.js";
import { parseFormats, parseQuantizeRule, parseSignatures, splitNames } from "../parse-freeze-options.js";
import { parseGraphOptions, type TypedGraphOptions } from "../parse-graph-options.js";
import { registerModules } from "../register-modules.js";
import {
  describeBackend,
  formatParity,
  freezeFolderStage,
  freezeModelStage,
  type FreezeRequest,
  freezeRunStage,
  type FreezeWorkers,
} from "../stages/freeze-stage.js";
import { formatBytes, formatTable, leftColumn, rightColumn } from "../table.js";

interface Arguments extends TypedGraphOptions {
  readonly source: string;
  readonly out: string | undefined;
  readonly formats: string | undefined;
  readonly tolerance: number | undefined;
  readonly inputs: string | undefined;
  readonly outputs: string | undefined;
  readonly register: readonly string[];
  readonly workers: number | undefined;
  readonly "further-signature": readonly string[];
  readonly quantize: readonly string[];
  readonly graph: string | undefined;
  readonly "max-unrolled-steps": number | undefined;
}

/** `ckpt freeze`: checkpoints to artifacts. */
export const freezeCommand: Command<Arguments> = {
  usage: "freeze <source>",
  summary: "Turn checkpoints into verified frozen artifacts",
  examples: [
    ["freeze runs/dense", "every checkpoint of a run, into runs/dense/artifacts"],
    ["freeze path/to/model.json --out frozen --formats onnx,graph-def", "one model, two formats"],
    ["freeze model.json --register ./layers.ts", "a model with layers of your own"],
    ["freeze model.json --outputs encoder/dense_1", "the part of a model that ends at this layer"],
    ["freeze model.json --further-signature embed=encoder/dense_1", "a SavedModel that gives the embedding, too"],
    ["freeze path/to/save --outputs probs", "every checkpoint of a TensorFlow folder, into path/to/save/artifacts"],
    [
      "freeze path/to/save/-mlp3-20000 --outputs probs --pin is_training=false --pin keep_prob=1",
      "one of them, with placeholders that are not fed any more",
    ],
    ["freeze path/to/saved-model --signature classify", "a TensorFlow SavedModel"],
    ["freeze runs/dense --quantize u8 --quantize 'u16=dense_1/*'", "a smaller GraphModel, one layer of it finer"],
  ],
  repeatable: ["further-signature", "pin", "quantize", "register"],
  options: (parser) =>
    parser
      .positional("source", {
        type: "string",
        demandOption: true,
        describe:
          "A run, a checkpoint folder, the model.json of a tfjs LayersModel or GraphModel, a folder of TensorFlow checkpoints " +
          "or the prefix of one, or a SavedModel",
      })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe:
          "Artifact folder, for a TensorFlow folder that of all artifacts; default: in the run's or folder's artifacts/, " +
          "artifact/ beside a model.json, or CHECKPOINT.artifact",
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
        default: [] as readonly string[],
        requiresArg: true,
        describe:
          "How the GraphModel stores its weights: u16, f16, u8 or none, or FORM=PATTERN of weight names with * and ?; " +
          "may be repeated, the last that matches counts. u16 is as small as f16 and closer on ordinary weights",
      })
      .option("max-unrolled-steps", {
        type: "number",
        requiresArg: true,
        describe:
          "Recurrences of no more steps stand in the TensorFlow formats step by step, longer ones as a loop, which " +
          "TensorFlow.js runs with executeAsync only; default: 200",
      })
      .option("outputs", {
        type: "string",
        requiresArg: true,
        describe:
          "Comma-separated layers, nodes or outputs to end at, such as encoder/dense_1; default: the model's own. " +
          "TensorFlow checkpoints have none of their own",
      })
      .option("further-signature", {
        type: "string",
        array: true,
        default: [] as readonly string[],
        requiresArg: true,
        describe:
          "KEY=OUTPUTS: one more signature of the SavedModel, beside serving_default; outputs as above, may be repeated",
      })
      .option("inputs", {
        type: "string",
        requiresArg: true,
        describe: "Comma-separated layers or nodes whose values become the inputs; default: the model's own",
      })
      .option("pin", {
        type: "string",
        array: true,
        default: [] as readonly string[],
        requiresArg: true,
        describe:
          "NAME=VALUE of a TensorFlow placeholder that is not to be fed, such as is_training=false; may be repeated",
      })
      .option("graph", {
        type: "string",
        requiresArg: true,
        describe: "Graph of TensorFlow checkpoints: .meta, .pb or .pbtxt; default: the .meta beside each",
      })
      .option("signature", {
        type: "string",
        requiresArg: true,
        describe: "Signature of a SavedModel; default: serving_default",
      })
      .option("averages", {
        type: "boolean",
        default: false,
        describe: "Take NAME/ExponentialMovingAverage for each variable NAME of a TensorFlow checkpoint that has one",
      })
      .option("register", {
        type: "string",
        array: true,
        default: [] as readonly string[],
        requiresArg: true,
        describe:
          "Module or package that registers layers, may be repeated; paths are relative to the working directory",
      })
      .option("workers", {
        type: "number",
        requiresArg: true,
        describe:
          "Threads that freeze the checkpoints of a run or folder; default: as cores and memory allow, where it pays",
      }),
  run: async (given, context) => {
    const { source: path, graph, out, formats, tolerance, inputs, outputs, quantize, register, workers } = given;
    const { "further-signature": furtherSignature, "max-unrolled-steps": maxUnrolledSteps } = given;
    if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
      throw new CkptError("INVALID_OPTION", { option: "--workers", expected: "1 or more", found: String(workers) });
    }
    const graphOptions = parseGraphOptions(given);
    const source = await readSource(path, { graph });
    const config = await findConfig(source);
    // One folder cannot hold them all, and outside the run their checkpoints' names would say nothing.
    if (source.kind === "run" && out !== undefined) {
      throw new CkptError("INVALID_OPTION", { option: "--out", expected: "one checkpoint or model", found: "a run" });
    }
    const unfit = findUnfitOption(source, given);
    if (unfit !== undefined) throw new CkptError("INVALID_OPTION", { ...unfit, found: `${source.kind} ${path}` });
    await registerModules(register, process.cwd());
    await selectBackend(config?.config.backend);
    const request = {
      ...config?.config.freeze,
      ...(formats === undefined ? {} : { formats: parseFormats(formats) }),
      ...(tolerance === undefined ? {} : { tolerance }),
      ...(inputs === undefined ? {} : { inputs: splitNames(inputs) }),
      ...(outputs === undefined ? {} : { outputs: splitNames(outputs) }),
      ...(furtherSignature.length === 0 ? {} : { furtherSignatures: parseSignatures(furtherSignature) }),
      ...(maxUnrolledSteps === undefined ? {} : { maxUnrolledSteps }),
      ...(quantize.length === 0 ? {} : { quantize: quantize.map(parseQuantizeRule) }),
    };
    const setUp = { ...describeBackend(config), ...(config === undefined ? {} : { config: config.path }), register };
    const threads = { ...(workers === undefined ? {} : { count: workers }), setUp };
    const results = await freezeSource(source, out, { ...request, ...graphOptions }, threads, context);
    const skipped = "skipped" in source ? source.skipped : [];
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
          furtherSignatures: result.manifest.furtherSignatures,
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

async function freezeSource(
  source: Source,
  out: string | undefined,
  request: FreezeRequest & GraphOptions,
  workers: FreezeWorkers,
  context: CommandContext,
): Promise<readonly FreezeResult[]> {
  if (source.kind === "run") return freezeRunStage(source, request, workers, context);
  if (source.kind === "tensorflow-folder") return freezeFolderStage(source, out, request, workers, context);
  return [await freezeModelStage(source, out ?? (await chooseTarget(source)), request, context)];
}

/** Of what concerns one kind of source alone, the first that was given for another. */
function findUnfitOption(
  { kind }: Source,
  { pin, signature, averages, inputs, "further-signature": furtherSignature }: Arguments,
): { readonly option: string; readonly expected: string } | undefined {
  if (kind === "tensorflow-folder") {
    if (inputs !== undefined) return { option: "--inputs", expected: "a model of TensorFlow.js" };
    if (furtherSignature.length === 0) return undefined;
    return { option: "--further-signature", expected: "a model of TensorFlow.js" };
  }
  if (kind !== "run") return undefined;
  const options = { "--pin": pin.length > 0, "--signature": signature !== undefined, "--averages": averages };
  const option = Object.entries(options).find(([, isGiven]) => isGiven)?.[0];
  return option === undefined ? undefined : { option, expected: "a model of TensorFlow" };
}

/** The configuration registers custom layers; where there is none, the model is frozen without. */
async function findConfig(source: Source): Promise<LoadedConfig | undefined> {
  if (source.kind !== "run" && source.kind !== "checkpoint") return undefined;
  const run = source.kind === "run" ? source.path : dirname(dirname(resolve(source.path)));
  return (await identifyFolder(run)) === "run" ? loadRunConfigIfAny(run) : undefined;
}

async function chooseTarget(source: ModelSource): Promise<string> {
  if (source.kind === "layers-model" || source.kind === "graph-model") return join(dirname(source.path), "artifact");
  const checkpoints = dirname(source.path);
  const run = dirname(checkpoints);
  return basename(checkpoints) === runLayout.checkpoints && (await identifyFolder(run)) === "run"
    ? artifactPath(run, basename(source.path))
    : `${source.path.replace(/[/\\]+$/, "")}.artifact`;
}

function describeTolerances(): string {
  const forms = quantizations.filter((form) => form !== "none");
  return forms.map((form) => `${quantizedTolerances[form]} (${form})`).join(", ");
}
