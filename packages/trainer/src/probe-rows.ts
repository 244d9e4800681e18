import type { Split } from "@ckpt/manifest";

import { tf } from "#tfjs";

import { createInputConverter } from "./batch-tensors.js";
import type { NamedArray } from "./named-array.js";
import { viewTensor } from "./tensor-array.js";

/** Enough to show an error that real values bring out, few enough to be no weight beside the model's own. */
const probeRowCount = 8;

/** The first rows of a split as inputs of a model, for its checkpoints to carry. */
export async function readProbeRows(model: tf.LayersModel, split: Split): Promise<readonly NamedArray[]> {
  const convert = createInputConverter(model, split);
  const tensors = convert(await split.read(0, Math.min(probeRowCount, split.rowCount)));
  const arrays: NamedArray[] = [];
  for (const [index, tensor] of tensors.entries()) {
    const { data, ...spec } = await viewTensor(model.inputNames[index] ?? "", tensor);
    arrays.push({ ...spec, data: data.slice() });
  }
  tf.dispose(tensors);
  return arrays;
}
