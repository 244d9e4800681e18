// Writes bundles for check_bundles.py to read in TensorFlow. Usage: write-bundles.ts FOLDER
import { join } from "node:path";

import { nameAsObjects, openBundle, recordCheckpoint, type TensorValue, writeBundle } from "../../src/index.js";
import { fixture } from "../expected-tensors.js";

const [folder] = process.argv.slice(2) as [string];

/** Every dtype, as it was read from TensorFlow's own file. */
const reader = await openBundle(fixture("dtypes/all"));
const named = new Map<string, TensorValue>();
for (const key of [...reader.entries.keys()].toReversed()) named.set(key, await reader.read(key));
await reader.close();
await writeBundle(join(folder, "names", "every-dtype-7"), named);
await recordCheckpoint(join(folder, "names", "every-dtype-7"));

/** What a v1 Saver and a tf.train.Checkpoint of the same variables restore. */
const weights = new Map<string, TensorValue>([
  ["dense/kernel", { dtype: "float32", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ["dense/bias", { dtype: "float32", shape: [3], values: Float32Array.of(-1, 0, 1) }],
  ["steps", { dtype: "int64", shape: [], values: BigInt64Array.of(-5n) }],
]);
await writeBundle(join(folder, "saver", "model.ckpt-10"), weights);
await recordCheckpoint(join(folder, "saver", "model.ckpt-10"));
await writeBundle(join(folder, "objects", "ckpt-1"), nameAsObjects(weights));
await recordCheckpoint(join(folder, "objects", "ckpt-1"));

/** More than one block of the index. */
const many = Array.from({ length: 20_000 }, (_, index) => {
  const value: TensorValue = { dtype: "int32", shape: [], values: Int32Array.of(index) };
  return [`layer_${index}/kernel`, value] as const;
});
await writeBundle(join(folder, "many", "many"), new Map(many));
