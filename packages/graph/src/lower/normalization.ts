import { attribute } from "../ir/attribute.js";
import { broadcastSizes } from "./broadcast-sizes.js";
import { type Lowering, type LoweringBuilder, type Lowerings, UnsupportedKernel, type Value } from "./lowering.js";
import { readAxis, readNumber } from "./read-attribute.js";

function combine(build: LoweringBuilder, op: string, a: Value, b: Value): Value {
  return build.add(op, [a, b], { dtype: a.dtype, sizes: broadcastSizes(a.sizes, b.sizes) });
}

/**
 * `(x - mean) * scale / sqrt(variance + epsilon) + offset`. With statistics that do not depend on the input this
 * becomes one product and one sum with constants. Parameters broadcast, so an axis other than the last is right here
 * even where the cpu and wasm backends are wrong (tfjs issue 1106).
 */
const fusedBatchNorm: Lowering = (call, build) => {
  const x = call.input("x");
  const [mean, variance] = [call.input("mean"), call.input("variance")];
  const [scale, offset] = [call.optionalInput("scale"), call.optionalInput("offset")];
  const stable = combine(build, "AddV2", variance, build.float(readNumber(call, "varianceEpsilon")));
  const inverse = build.add("Rsqrt", [stable], stable);
  const factor = scale === undefined ? inverse : combine(build, "Mul", inverse, scale);
  if (mean.dependsOnInput || factor.dependsOnInput) {
    // Centred first: with computed statistics the difference of two large products would lose digits.
    const centred = build.add("Sub", [x, mean], x);
    const scaled = build.add("Mul", [centred, factor], x);
    return [offset === undefined ? scaled : build.add("AddV2", [scaled, offset], x)];
  }
  const shift = combine(build, "Mul", mean, factor);
  const bias = offset === undefined ? build.add("Neg", [shift], shift) : combine(build, "Sub", offset, shift);
  return [build.add("AddV2", [build.add("Mul", [x, factor], x), bias], x)];
};

const softmax: Lowering = (call, build) => {
  const logits = call.input("logits");
  if (readAxis(call, "dim", logits.sizes.length) !== logits.sizes.length - 1) {
    throw new UnsupportedKernel("it runs over an axis other than the last");
  }
  return [build.add("Softmax", [logits], call.output())];
};

/** Kernels that normalize. */
export const normalizationLowerings: Lowerings = {
  FusedBatchNorm: fusedBatchNorm,
  LRN: (call, build) => [
    build.add("LRN", [call.input("x")], call.output(), {
      depth_radius: attribute.int(readNumber(call, "depthRadius")),
      bias: attribute.float(readNumber(call, "bias")),
      alpha: attribute.float(readNumber(call, "alpha")),
      beta: attribute.float(readNumber(call, "beta")),
    }),
  ],
  Softmax: softmax,
};
