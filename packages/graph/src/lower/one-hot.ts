import { attribute } from "../ir/attribute.js";
import { staticSize } from "../ir/size.js";
import type { LoweringBuilder, Value } from "./lowering.js";

/**
 * `[...sizes of indices, depth]` in float32: 1 where the index is the position on the last axis, 0 elsewhere. By way of
 * int32, since the wasm backend of TensorFlow.js writes integers into a one hot of floats.
 */
export function addOneHot(build: LoweringBuilder, indices: Value, depth: number): Value {
  const sizes = [...indices.sizes, staticSize(depth)];
  const hot = build.add(
    "OneHot",
    [indices, build.int(depth), build.int(1), build.int(0)],
    { dtype: "int32", sizes },
    { axis: attribute.int(-1) },
  );
  return build.add("Cast", [hot], { dtype: "float32", sizes });
}
