import { CkptError, isInsidePath } from "@ckpt/manifest";
import type * as tf from "@tensorflow/tfjs";

/** What a `model.json` of a LayersModel says: the topology, and which files hold which weights in which order. */
export interface ModelJson {
  /** As `model.toJSON` gives it. */
  readonly topology: object;
  /** Paths of the weight shards relative to `model.json`, in the order in which they are joined. */
  readonly shardPaths: readonly string[];
  /** The weights in the order in which their bytes stand in the joined shards. */
  readonly weightSpecs: readonly tf.io.WeightsManifestEntry[];
}

/**
 * Parses the text of a LayersModel's `model.json`.
 *
 * @param path - Named in errors.
 * @throws {CkptError} MODEL_UNREADABLE when it is something else; UNSAFE_PATH when it names a shard outside its folder.
 */
export function parseModelJson(text: string, path: string): ModelJson {
  const { modelTopology, weightsManifest, format } = parseObject(text, path);
  if (format === "graph-model") throw unreadable(path, "a GraphModel, which is frozen already");
  if (format === "variables") {
    const reason =
      "a model written by hand: its variables are stored here, the function that predicts with them is not";
    const remedy = "Freeze it through the API, in the program that has its predict function.";
    throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy });
  }
  if (!isObject(modelTopology)) throw unreadable(path, "there is no modelTopology in it");
  if (!Array.isArray(weightsManifest)) throw unreadable(path, "there is no weightsManifest in it");
  const groups = weightsManifest.map((group: unknown) => parseGroup(group, path));
  const shardPaths = groups.flatMap((group) => group.paths);
  const unsafe = shardPaths.find((shard) => !isInsidePath(shard));
  if (unsafe !== undefined) throw new CkptError("UNSAFE_PATH", { path, named: unsafe });
  return { topology: modelTopology, shardPaths, weightSpecs: groups.flatMap((group) => group.weights) };
}

function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, `not JSON: ${(cause as Error).message}`, cause);
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
  const remedy = "Name the model.json that `model.save` of a TensorFlow.js LayersModel wrote.";
  return new CkptError("MODEL_UNREADABLE", { path, reason, remedy }, { cause });
}
