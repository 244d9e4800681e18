import { describe, expect, it } from "vitest";

import { nameOptimizerState } from "./optimizer-names.js";

const slotsOf = (...slots: readonly string[]) => slots.map((slot) => ({ slot, variable: "dense/kernel" }));

function namesOf(...slots: readonly string[]): readonly string[] {
  return [...nameOptimizerState({ className: "RMSProp", slots: slotsOf(...slots), scalars: [] }).keys()];
}

describe("nameOptimizerState", () => {
  it("names Adam's state as TensorFlow does", () => {
    const slots = slotsOf("m", "v");
    const scalars = [{ name: "accBeta1" }, { name: "accBeta2" }];
    expect([...nameOptimizerState({ className: "Adam", slots, scalars })]).toEqual([
      ["dense/kernel/Adam", slots[0]],
      ["dense/kernel/Adam_1", slots[1]],
      ["beta1_power", scalars[0]],
      ["beta2_power", scalars[1]],
    ]);
  });

  it("counts the slots there are", () => {
    expect(namesOf("rms", "momentum")).toEqual(["dense/kernel/RMSProp", "dense/kernel/RMSProp_1"]);
    expect(namesOf("rms", "momentum", "mg")).toEqual([
      "dense/kernel/RMSProp",
      "dense/kernel/RMSProp_2",
      "dense/kernel/RMSProp_1",
    ]);
  });

  it("leaves out what TensorFlow has no name for", () => {
    const scalars = [{ name: "iteration" }, { name: "accBeta1" }];
    expect([...nameOptimizerState({ className: "Adamax", slots: slotsOf("m", "other"), scalars }).keys()]).toEqual([
      "dense/kernel/AdaMax",
      "beta1_power",
    ]);
    expect(nameOptimizerState({ className: "SGD", slots: slotsOf("m"), scalars: [] }).size).toBe(0);
  });
});
