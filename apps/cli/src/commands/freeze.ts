import { basename, dirname, join, resolve } from "node:path";

import { selectBackend } from "@ckpt/backend";
import { type ModelSource, readSource, type Source } from "@ckpt/freezer";
import { type ArtifactFormat, artifactFormats, artifactPath, CkptError, formatPaths, runLayout } from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { identifyFolder } from "../identify-folder.js";
import { type LoadedConfig, loadRunConfigIfAny } from "../load-config.js";
import { registerModules } from "../register-modules.js";
import { describeBackend, formatParity, freezeModelStage, freezeRunStage } from "../stages/freeze-stage.js";
import { formatBytes, formatTable, leftColumn, rightColumn } from "../table.js";

interface Arguments {
  readonly source: string;
  readonly out: string | undefined;
  readonly formats: string | undefined;
  readonly tolerance: number | undefined;
  readonly inputs: string | undefined;
  readonly outputs: string | undefined;
  readonly register: readonly string[];
  readonly workers: number | undefined;
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
  ],
  repeatable: ["register"],
  options: (parser) =>
    parser
      .positional("source", {
        type: "string",
        demandOption: true,
        describe: "A run, a checkpoint folder, or the model.json of a tfjs LayersModel or GraphModel",
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
        describe: `Comma-separated: ${artifactFormats.join(",")}; default: all`,
      })
      .option("tolerance", {
        type: "number",
        requiresArg: true,
        describe: "Largest accepted absolute error; default: 1e-5",
      })
      .option("outputs", {
        type: "string",
        requiresArg: true,
        describe:
          "Comma-separated layers, nodes or outputs to end at, such as encoder/dense_1; default: the model's own",
      })
      .option("inputs", {
        type: "string",
        requiresArg: true,
        describe: "Comma-separated layers or nodes whose values become the inputs; default: the model's own",
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
        describe: "Threads that freeze the checkpoints of a run; default: as cores and memory allow, where it pays",
      }),
  run: async ({ source: path, out, formats, tolerance, inputs, outputs, register, workers }, context) => {
    if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
      throw new CkptError("INVALID_OPTION", { option: "--workers", expected: "1 or more", found: String(workers) });
    }
    const source = await readSource(path);
    const config = await findConfig(source);
    // One folder cannot hold them all, and outside the run their checkpoints' names would say nothing.
    if (source.kind === "run" && out !== undefined) {
      throw new CkptError("INVALID_OPTION", { option: "--out", expected: "one checkpoint or model", found: "a run" });
    }
    await registerModules(register, process.cwd());
    await selectBackend(config?.config.backend);
    const request = {
      ...config?.config.freeze,
      ...(formats === undefined ? {} : { formats: parseFormats(formats) }),
      ...(tolerance === undefined ? {} : { tolerance }),
      ...(inputs === undefined ? {} : { inputs: splitNames(inputs) }),
      ...(outputs === undefined ? {} : { outputs: splitNames(outputs) }),
    };
    const setUp = { ...describeBackend(config), ...(config === undefined ? {} : { config: config.path }), register };
    const count = workers === undefined ? {} : { count: workers };
    const results =
      source.kind === "run"
        ? await freezeRunStage(source, request, { ...count, setUp }, context)
        : [await freezeModelStage(source, out ?? (await chooseTarget(source)), request, context)];
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
  if (source.kind !== "run" && source.kind !== "checkpoint") return undefined;
  const run = source.kind === "run" ? source.path : dirname(dirname(resolve(source.path)));
  return (await identifyFolder(run)) === "run" ? loadRunConfigIfAny(run) : undefined;
}

async function chooseTarget(source: ModelSource): Promise<string> {
  if (source.kind !== "checkpoint") return join(dirname(source.path), "artifact");
  const checkpoints = dirname(source.path);
  const run = dirname(checkpoints);
  return basename(checkpoints) === runLayout.checkpoints && (await identifyFolder(run)) === "run"
    ? artifactPath(run, basename(source.path))
    : `${source.path.replace(/[/\\]+$/, "")}.artifact`;
}

function splitNames(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim());
}

function parseFormats(text: string): readonly ArtifactFormat[] {
  const names = splitNames(text);
  const unknown = names.find((name) => !artifactFormats.some((format) => format === name));
  if (unknown !== undefined) {
    const expected = artifactFormats.join(", ");
    throw new CkptError("INVALID_OPTION", { option: "--formats", expected, found: unknown });
  }
  return artifactFormats.filter((format) => names.includes(format));
}
