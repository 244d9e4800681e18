import type { Graph } from "@ckpt/graph";
import type { Dtype, TensorData, TensorSpec } from "@ckpt/manifest";

import { findIndexLimits } from "./index-limit.js";
import { createRandom } from "./random.js";

/** Integers are below this where the graph does not say more. */
const defaultLimit = 10;

/**
 * Input values to compare a model and its frozen formats on, in the order of `specs`; equal arguments give equal
 * values. float32: uniform in [-1, 1); int32: whole numbers from 0 to 9; bool: 0 or 1. An input that is used as an
 * index, of whatever dtype, gets whole numbers over the whole of the table.
 */
export function makeProbeInputs(graph: Graph, specs: readonly TensorSpec[], batchSize: number): readonly TensorData[] {
  const limits = findIndexLimits(graph);
  return specs.map(({ name, dtype, shape }, index) => {
    const sizes = shape.map((size) => size ?? batchSize);
    const data = createData(
      dtype,
      sizes.reduce((count, size) => count * size, 1),
    );
    const random = createRandom(batchSize * 1009 + index);
    const limit = limits.get(name) ?? (dtype === "bool" ? 2 : dtype === "int32" ? defaultLimit : undefined);
    for (let at = 0; at < data.length; at++) {
      data[at] = limit === undefined ? random() * 2 - 1 : Math.floor(random() * limit);
    }
    return { data, shape: sizes };
  });
}

function createData(dtype: Dtype, count: number): TensorData["data"] {
  if (dtype === "float32") return new Float32Array(count);
  return dtype === "int32" ? new Int32Array(count) : new Uint8Array(count);
}
