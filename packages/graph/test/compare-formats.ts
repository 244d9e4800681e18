import * as tf from "@tensorflow/tfjs";

import type { Graph } from "../src/index.js";
import { makeInputs, runModel } from "./compare-model.js";
import { expectClose, type Format, runFormat, toOutput } from "./run-formats.js";

/** Runs a graph in one format at batch sizes that were never traced and compares with the model. */
export async function compareFormat(
  format: Format,
  graph: Graph,
  model: tf.LayersModel,
  indexLimit?: number,
): Promise<void> {
  for (const batch of [1, 5]) {
    const inputs = makeInputs(model, batch, indexLimit);
    const expected = runModel(model, inputs);
    const feeds = Object.fromEntries(graph.inputs.map(({ name }, index) => [name, inputs[index]!]));
    expectClose(await runFormat(format, graph, feeds), expected.map(toOutput), 5e-6);
    tf.dispose([inputs, expected]);
  }
}
