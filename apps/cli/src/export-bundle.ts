import { join } from "node:path";

import { CkptError } from "@ckpt/manifest";
import { nameOptimizerState, recordCheckpoint, type TensorValue, writeBundle } from "@ckpt/tensor-bundle";
import { type Checkpoint, type NamedArray, readCheckpointState, type RestorableState } from "@ckpt/trainer";

/** A checkpoint that TensorFlow can read. */
export interface ExportedCheckpoint {
  /** The checkpoint it was made from. */
  readonly source: string;
  readonly step: number;
  /** What TensorFlow restores it by. */
  readonly prefix: string;
  readonly tensorCount: number;
}

/**
 * Writes a checkpoint as a tensor bundle into a folder, and makes it the latest of the folder's `checkpoint` file: weights
 * under their own names, what the optimizer remembers under TensorFlow's, and `global_step`. It is called
 * `model.ckpt-<step>`, and `average.ckpt-<step>` for an average.
 *
 * @throws {CkptError} What reading the checkpoint finds; TARGET_EXISTS; FILE_SYSTEM.
 */
export async function exportBundle(checkpoint: Checkpoint, folder: string): Promise<ExportedCheckpoint> {
  const { path, step, manifest } = checkpoint;
  const tensors = toTensors(await readCheckpointState(checkpoint), step);
  const prefix = join(folder, `${manifest.parents === undefined ? "model" : "average"}.ckpt-${step}`);
  await writeBundle(prefix, tensors);
  await recordCheckpoint(prefix);
  return { source: path, step, prefix, tensorCount: tensors.size };
}

function toTensors({ weights, optimizer }: RestorableState, step: number): ReadonlyMap<string, TensorValue> {
  const tensors = new Map(weights.map((weight) => [weight.name, toTensor(weight)]));
  const add = (name: string, tensor: TensorValue): void => {
    if (tensors.has(name)) {
      const expected = `no weight called ${name}, which TensorFlow's optimizers use`;
      throw new CkptError("INVALID_OPTION", { option: "weights", expected, found: name });
    }
    tensors.set(name, tensor);
  };
  if (optimizer !== undefined) {
    for (const [name, state] of nameOptimizerState(optimizer)) add(name, toTensor(state));
  }
  add("global_step", { dtype: "int64", shape: [], values: BigInt64Array.of(BigInt(step)) });
  return tensors;
}

function toTensor({ dtype, shape, data }: NamedArray): TensorValue {
  return { dtype, shape, values: data } as TensorValue;
}
