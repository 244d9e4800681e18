// Writes bundles for check_bundles.py to read in TensorFlow. Usage: write-bundles.ts FOLDER
import { join } from "node:path";

import {
  nameAsObjects,
  nameOptimizerState,
  openBundle,
  recordCheckpoint,
  type TensorValue,
  writeBundle,
} from "../../src/index.js";
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

/** What each optimizer remembers, for the v1 optimizer of the same name to go on with. */
const optimizers = {
  Momentum: { slots: ["momentum"], scalars: [] },
  Adagrad: { slots: ["accumulator"], scalars: [] },
  Adadelta: { slots: ["accum_grad", "accum_var"], scalars: [] },
  Adam: { slots: ["m", "v"], scalars: ["accBeta1", "accBeta2"] },
  RMSProp: { slots: ["rms", "momentum"], scalars: [] },
  CenteredRMSProp: { slots: ["rms", "momentum", "mg"], scalars: [] },
};
for (const [name, state] of Object.entries(optimizers)) {
  const named = nameOptimizerState({
    className: name.replace("Centered", ""),
    slots: state.slots.map((slot) => ({ slot, variable: "w" })),
    scalars: state.scalars.map((name) => ({ name })),
  });
  const tensors = new Map<string, TensorValue>([
    ["w", { dtype: "float32", shape: [2], values: Float32Array.of(1, 2) }],
  ]);
  for (const [name, entry] of named) {
    const number = state.slots.indexOf("slot" in entry ? entry.slot : "") + 1;
    // A slot's values tell which it is: 1.5 for the first in TensorFlow.js's order, 2.5 for the second.
    tensors.set(
      name,
      number === 0
        ? { dtype: "float32", shape: [], values: Float32Array.of(0.5) }
        : { dtype: "float32", shape: [2], values: new Float32Array(2).fill(number + 0.5) },
    );
  }
  await writeBundle(join(folder, "optimizers", name), tensors);
}

/** More than one block of the index. */
const many = Array.from({ length: 20_000 }, (_, index) => {
  const value: TensorValue = { dtype: "int32", shape: [], values: Int32Array.of(index) };
  return [`layer_${index}/kernel`, value] as const;
});
await writeBundle(join(folder, "many", "many"), new Map(many));
