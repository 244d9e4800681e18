import { attribute } from "../ir/attribute.js";
import type { Lowering, LoweringBuilder, Lowerings, Value } from "./lowering.js";
import { readAxes, readAxis, readFlag } from "./read-attribute.js";

function reduce(op: string, axisName = "axis"): Lowering {
  return (call, build) => {
    const output = call.output();
    const x = castTo(build, call.input("x"), output.dtype);
    const axes = readAxes(call, axisName, x.sizes.length);
    return [build.add(op, [x, build.ints(axes)], output, { keep_dims: attribute.bool(readFlag(call, "keepDims")) })];
  };
}

// A mean of integers is a float here, an integer in TensorFlow.
function castTo(build: LoweringBuilder, value: Value, dtype: Value["dtype"]): Value {
  return value.dtype === dtype ? value : build.add("Cast", [value], { dtype, sizes: value.sizes });
}

function findIndex(op: string): Lowering {
  return (call, build) => {
    const x = call.input("x");
    return [build.add(op, [x, build.int(readAxis(call, "axis", x.sizes.length))], call.output())];
  };
}

/** Kernels that reduce axes. */
export const reduceLowerings: Lowerings = {
  All: reduce("All"),
  Any: reduce("Any"),
  Max: reduce("Max", "reductionIndices"),
  Mean: reduce("Mean"),
  Min: reduce("Min"),
  Prod: reduce("Prod"),
  Sum: reduce("Sum"),
  ArgMax: findIndex("ArgMax"),
  ArgMin: findIndex("ArgMin"),
};
