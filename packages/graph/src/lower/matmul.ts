import { attribute } from "../ir/attribute.js";
import { isSizeOf, type Size } from "../ir/size.js";
import { applyActivation } from "./activation.js";
import { addBias } from "./bias.js";
import type { Lowering, LoweringBuilder, LoweringCall, Lowerings, Value } from "./lowering.js";
import { readFlag, readString } from "./read-attribute.js";

function isOne(size: Size | undefined): boolean {
  return size !== undefined && isSizeOf(size, 1);
}

// Layers multiply matrices `[batch, rows, columns]` always; a batch of one is a plain product.
function multiply(call: LoweringCall, build: LoweringBuilder): Value {
  const [a, b] = [call.input("a"), call.input("b")];
  const [transposeA, transposeB] = [readFlag(call, "transposeA"), readFlag(call, "transposeB")];
  const { dtype, sizes } = call.output();
  const transposes = { transpose_a: attribute.bool(transposeA), transpose_b: attribute.bool(transposeB) };
  if (a.sizes.length === 2 && b.sizes.length === 2) return build.add("MatMul", [a, b], { dtype, sizes }, transposes);
  if (a.sizes.length === 3 && b.sizes.length === 3 && isOne(a.sizes[0]) && isOne(b.sizes[0])) {
    const flatA = build.reshape(a, a.sizes.slice(1));
    const flatB = build.reshape(b, b.sizes.slice(1));
    return build.add("MatMul", [flatA, flatB], { dtype, sizes: sizes.slice(1) }, transposes);
  }
  return build.add(
    "BatchMatMulV2",
    [a, b],
    { dtype, sizes },
    {
      adj_x: attribute.bool(transposeA),
      adj_y: attribute.bool(transposeB),
    },
  );
}

const fusedMatMul: Lowering = (call, build) => {
  let value = multiply(call, build);
  const bias = call.optionalInput("bias");
  const alpha = call.optionalInput("preluActivationWeights");
  const sizes = call.output().sizes;
  // Operands of rank 3 are meant for the product of rank 3.
  if ((bias?.sizes.length ?? 0) > 2 || (alpha?.sizes.length ?? 0) > 2) value = build.reshape(value, sizes);
  if (bias !== undefined) value = addBias(build, value, bias);
  return [build.reshape(applyActivation(call, build, value), sizes)];
};

/** Kernels that multiply matrices. */
export const matmulLowerings: Lowerings = {
  _FusedMatMul: fusedMatMul,
  BatchMatMul: (call, build) => [build.reshape(multiply(call, build), call.output().sizes)],
  Einsum: (call, build) => [
    build.add("Einsum", call.inputs, call.output(), { equation: attribute.string(readString(call, "equation")) }),
  ],
};
