import { describe, expect, it } from "vitest";

import { fixture } from "../test/expected-tensors.js";
import { readTrackedTensors } from "./object-graph.js";
import { openBundle } from "./open-bundle.js";

describe("readTrackedTensors", () => {
  it("gives the path and the variable's own name of every tensor of a tf.train.Checkpoint", async () => {
    const bundle = await openBundle(fixture("objects/ckpt-3"));
    const tracked = await readTrackedTensors(bundle);
    const names = Object.fromEntries(tracked!.map(({ path, fullName }) => [path, fullName]));
    expect(names).toEqual({
      epoch: "Variable",
      "model/layers/0/bias": "bias",
      "model/layers/0/kernel": "kernel",
      "model/layers/0/kernel/.OPTIMIZER_SLOT/optimizer/m": "kernel/Adam",
      "model/layers/0/kernel/.OPTIMIZER_SLOT/optimizer/v": "kernel/Adam_1",
      "model/layers/1/bias": "bias",
      "model/layers/1/kernel": "kernel",
      "model/named/a.Sb..c": "odd",
      "optimizer/beta1_power": "beta1_power",
      "optimizer/beta2_power": "beta2_power",
      save_counter: "save_counter",
    });
    for (const { key } of tracked!) expect(bundle.entries.has(key)).toBe(true);
    await bundle.close();
  });

  it("is nothing for a name-based checkpoint", async () => {
    const bundle = await openBundle(fixture("small/small"));
    expect(await readTrackedTensors(bundle)).toBeUndefined();
    await bundle.close();
  });
});
