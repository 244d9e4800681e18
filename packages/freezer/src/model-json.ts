import { CkptError, isInsidePath } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

/** What a `model.json` says: what kind of model it is, its topology, and which files hold which weights in which order. */
export interface ModelJson {
  /** `variables`: a checkpoint of a model written by hand, whose computation is not in it. */
  readonly format: "layers-model" | "graph-model" | "variables";
  /** Of a LayersModel as `model.toJSON` gives it, of a GraphModel its GraphDef, of variables empty. */
  readonly topology: object;
  /** All that the file says besides topology and weights; of a GraphModel, its signature is there. */
  readonly extras: Readonly<Record<string, unknown>>;
  /** Paths of the weight shards relative to `model.json`, in the order in which they are joined. */
  readonly shardPaths: readonly string[];
  /** The weights in the order in which their bytes stand in the joined shards. */
  readonly weightSpecs: readonly tf.io.WeightsManifestEntry[];
}

/**
 * Parses the text of a `model.json`.
 *
 * @param path - Named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when it is something else; UNSAFE_PATH when it names a shard outside its folder.
 */
export function parseModelJson(text: string, path: string): ModelJson {
  const { modelTopology, weightsManifest, ...extras } = parseObject(text, path);
  const isVariables = extras["format"] === "variables";
  const topology = isVariables ? {} : modelTopology;
  if (!isObject(topology)) throw unreadable(path, "there is no modelTopology in it");
  if (!Array.isArray(weightsManifest)) throw unreadable(path, "there is no weightsManifest in it");
  const groups = weightsManifest.map((group: unknown) => parseGroup(group, path));
  const shardPaths = groups.flatMap((group) => group.paths);
  const unsafe = shardPaths.find((shard) => !isInsidePath(shard));
  if (unsafe !== undefined) throw new CkptError("UNSAFE_PATH", { path, named: unsafe });
  // Old converters wrote no format; only a GraphDef has nodes.
  const isGraph = extras["format"] === "graph-model" || Array.isArray(topology["node"]);
  const format = isVariables ? "variables" : isGraph ? "graph-model" : "layers-model";
  return { format, topology, extras, shardPaths, weightSpecs: groups.flatMap((group) => group.weights) };
}

function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // The message quotes the file, which may be a binary one.
    const message = (cause as Error).message.replaceAll(/[\p{Cc}\uFFFD]+/gu, " ");
    throw unreadable(path, `not JSON: ${message}`, cause);
  }
  if (!isObject(value)) throw unreadable(path, "not a JSON object");
  return value;
}

function parseGroup(
  group: unknown,
  path: string,
): { paths: readonly string[]; weights: readonly tf.io.WeightsManifestEntry[] } {
  if (isObject(group)) {
    const { paths, weights } = group;
    if (isArrayOf(paths, isString) && isArrayOf(weights, isWeightSpec)) {
      // A browser writes `./model.weights.bin`.
      return { paths: paths.map((shard) => shard.replace(/^\.\//, "")), weights };
    }
  }
  throw unreadable(path, "its weightsManifest is not a list of {paths, weights}");
}

function isWeightSpec(value: unknown): value is tf.io.WeightsManifestEntry {
  return (
    isObject(value) &&
    typeof value["name"] === "string" &&
    typeof value["dtype"] === "string" &&
    isArrayOf(value["shape"], isSize) &&
    (value["quantization"] === undefined || isObject(value["quantization"]))
  );
}

function isArrayOf<Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[] {
  return Array.isArray(value) && value.every(isItem);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable(path: string, reason: string, cause?: unknown): CkptError<"MODEL_UNREADABLE"> {
  const remedy = "Name the model.json of a TensorFlow.js LayersModel or GraphModel.";
  return new CkptError("MODEL_UNREADABLE", { path, reason, remedy }, { cause });
}
