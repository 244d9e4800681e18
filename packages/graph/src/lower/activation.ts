import { attribute } from "../ir/attribute.js";
import { type LoweringBuilder, type LoweringCall, UnsupportedKernel, type Value } from "./lowering.js";
import { readAttribute, readNumber } from "./read-attribute.js";

const plainActivations: Readonly<Record<string, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
};

/** Applies the `activation` attribute of a fused kernel (`_FusedMatMul`, `FusedConv2D`, ...) as a node of its own. */
export function applyActivation(call: LoweringCall, build: LoweringBuilder, value: Value): Value {
  const activation = readAttribute(call, "activation") ?? "linear";
  if (activation === "linear") return value;
  const op = typeof activation === "string" ? plainActivations[activation] : undefined;
  if (op !== undefined) return build.add(op, [value], value);
  if (activation === "prelu") return build.add("Prelu", [value, call.input("preluActivationWeights")], value);
  if (activation === "leakyrelu") {
    return build.add("LeakyRelu", [value], value, { alpha: attribute.float(readNumber(call, "leakyreluAlpha")) });
  }
  throw new UnsupportedKernel(`its activation ${JSON.stringify(activation)} has no translation`);
}
