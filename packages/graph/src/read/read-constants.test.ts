import * as tf from "@tensorflow/tfjs";
import { expect, it } from "vitest";

import { captureModel } from "../capture/capture-model.js";
import { emitGraphDef, parseGraphDef, serializeGraphDef } from "../emit/index.js";
import { readConstants } from "./read-constants.js";

it("gives every constant as it was written, wherever it stands in the bytes, those of a Buffer too", () => {
  const model = tf.sequential({
    layers: [tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 3 }), tf.layers.flatten()],
  });
  const { graph } = captureModel(model);
  const written = graph.nodes.flatMap(({ name, constant }) => {
    if (constant === undefined) return [];
    const { dtype, shape, values } = constant;
    return [[name, { dtype, shape, values }] as const];
  });
  const bytes = serializeGraphDef(emitGraphDef(graph));
  // One after the other is where no constant begins at a multiple of four.
  for (let offset = 0; offset < 4; offset++) {
    const moved = Buffer.alloc(bytes.byteLength + offset);
    moved.set(bytes, offset);
    const read = readConstants(parseGraphDef(moved.subarray(offset)));
    expect([...read]).toEqual(written);
  }
});
