import { basename, dirname, join, resolve } from "node:path";

import { CkptError, type FileSystem, findReplaced, nodeFileSystem, stageFolder } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { modelFileName, readModelFolder } from "./model-folder.js";
import { requirePositiveInteger } from "./require-positive-integer.js";
import { cutWeights, defaultMaxShardSizeBytes, joinWeightData, sizeWeights } from "./weight-shards.js";

/** How a model is written to its folder. */
export interface FolderHandlerOptions {
  /** Weights larger than this are cut into several files. Default: 1 GiB, since Node reads files up to 2 GiB at once. */
  readonly maxShardSizeBytes?: number;
  /** Default: the machine's own. */
  readonly fileSystem?: FileSystem;
}

/**
 * Makes a handler that `model.save` and `tf.loadLayersModel` take in plain Node, in the place of a `file://` address. A
 * save appears whole or not at all, under the folder's own name, and replaces the model that was there; one process at a
 * time may save to a folder. Optimizer weights are saved where `model.save` is told to include them, and loaded where
 * they are there. Checkpoints can be loaded as well, and are checked before.
 *
 * Its `save` throws TARGET_EXISTS when the folder holds anything but a model, and FILE_SYSTEM, after which an older model
 * is as it was. Its `load` throws FILE_MISSING, UNSAFE_PATH for weights outside the folder, MODEL_UNREADABLE when the
 * weights are of another size than `model.json` says, and what is wrong with a checkpoint.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function createFolderHandler(path: string, options: FolderHandlerOptions = {}): Required<tf.io.IOHandler> {
  const { maxShardSizeBytes = defaultMaxShardSizeBytes, fileSystem = nodeFileSystem } = options;
  requirePositiveInteger("maxShardSizeBytes", maxShardSizeBytes);
  return {
    save: async (artifacts) => {
      const files = layOut(artifacts, path, maxShardSizeBytes);
      if (!(await fileSystem.list(path)).every(isModelFile)) throw new CkptError("TARGET_EXISTS", { path });
      const staged = await stageFolder(path, { fileSystem, isReplacing: true });
      try {
        for (const { path: file, data } of files) await staged.write(file, data);
        await staged.publish();
      } catch (error) {
        // The error that stopped the save matters; the next save removes what cannot be removed now.
        await staged.abandon().catch(() => undefined);
        throw error;
      }
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    },
    load: async () => readModelFolder(await locate(path, fileSystem)),
  };
}

/** Where the model is: a process that died while it replaced one has left the old one beside its place. */
async function locate(path: string, fileSystem: FileSystem): Promise<string> {
  const [parent, name] = [dirname(resolve(path)), basename(resolve(path))];
  const names = await fileSystem.list(parent);
  const old = names.includes(name) ? undefined : findReplaced(names, name).at(-1);
  return old === undefined ? path : join(parent, old);
}

/** Whether a name is one that this handler, or TensorFlow.js's own, writes: a folder of these alone may be replaced. */
function isModelFile(name: string): boolean {
  return name === modelFileName || /^weights(-\d{5,}-of-\d{5,})?\.bin$/.test(name);
}

function layOut(
  artifacts: tf.io.ModelArtifacts,
  path: string,
  maxShardSizeBytes: number,
): readonly { readonly path: string; readonly data: Uint8Array | string }[] {
  const { weightData = [], weightSpecs = [], getWeightStream: _, ...fields } = artifacts;
  if (fields.modelTopology instanceof ArrayBuffer) {
    throw new CkptError("INVALID_OPTION", {
      option: "modelTopology",
      expected: "a topology that is JSON",
      found: "binary data",
    });
  }
  const bytes = joinWeightData(weightData);
  const sizeBytes = sizeWeights(weightSpecs);
  if (bytes.byteLength !== sizeBytes) {
    throw new CkptError("SIZE_MISMATCH", { path, expectedBytes: sizeBytes, foundBytes: bytes.byteLength });
  }
  const shards = cutWeights(bytes.byteLength, maxShardSizeBytes);
  const weightsManifest = [{ paths: shards.map((shard) => shard.path), weights: weightSpecs }];
  const files = shards.map(({ path, startByte, endByte }) => ({ path, data: bytes.subarray(startByte, endByte) }));
  return [...files, { path: modelFileName, data: `${JSON.stringify({ ...fields, weightsManifest })}\n` }];
}
