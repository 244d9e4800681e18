import { isCkptError } from "@ckpt/manifest";

import { captureModel, emitGraphDef, emitGraphModel, emitOnnx, type Graph, optimize } from "../src/index.js";
import type { LayerCase } from "../test/layers/layer-case.js";

/** What a format makes of a graph; throws where it cannot express it. */
const emitters: Readonly<Record<string, (graph: Graph) => unknown>> = {
  GraphModel: emitGraphModel,
  "GraphDef, SavedModel": emitGraphDef,
  ONNX: (graph) => emitOnnx(graph, { name: "layer" }),
};

function optionsOf({ note }: LayerCase): string {
  return note === "" ? "with its defaults" : note;
}

/** Why an action is refused, or nothing. */
function findRefusal(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!isCkptError(error, "UNSUPPORTED_OP")) throw error;
    return error.details.ops.map(({ op, reason }) => `\`${op}\`: ${reason}`).join("; ");
  }
}

/** What each format says to a case. */
function describeCase(layerCase: LayerCase): ReadonlyMap<string, string | undefined> {
  const model = layerCase.build();
  const graph = optimize(captureModel(model).graph);
  model.dispose();
  return new Map(
    Object.entries(emitters).map(([format, emit]) => [
      format,
      findRefusal(() => {
        emit(graph);
      }),
    ]),
  );
}

/** What there is to know of a case, without its options. */
function limitsOf({ throws, corrected }: LayerCase): readonly string[] {
  return [
    ...(throws === undefined ? [] : [`TensorFlow.js itself refuses ("${throws}")`]),
    ...(corrected === undefined ? [] : ["TensorFlow.js is wrong, see below"]),
  ];
}

/** The row of a layer in the table: whether each format has it, and what there is to know. */
export function describeLayer(layer: string, cases: readonly LayerCase[]): string {
  const runnable = cases.filter(({ throws }) => throws === undefined);
  const refusals = new Map(runnable.map((layerCase) => [layerCase, describeCase(layerCase)]));
  const support = Object.keys(emitters).map((format) => {
    const refused = runnable.filter((layerCase) => refusals.get(layerCase)?.get(format) !== undefined);
    // None that runs is none that can be frozen.
    if (refused.length === runnable.length) return "no";
    return refused.length === 0 ? "yes" : "in part";
  });
  const byLimit = new Map<string, string[]>();
  for (const layerCase of cases) {
    const refused = [...(refusals.get(layerCase) ?? [])].flatMap(([format, reason]) =>
      reason === undefined ? [] : [`no ${format} (${reason})`],
    );
    for (const limit of [...limitsOf(layerCase), ...refused]) {
      byLimit.set(limit, [...(byLimit.get(limit) ?? []), optionsOf(layerCase)]);
    }
  }
  const limits = [
    ...Array.from(byLimit, ([limit, options]) => `${options.join(" / ")}: ${limit}`),
    ...new Set(cases.flatMap(({ limit }) => limit ?? [])),
  ];
  return `| \`${layer}\` | ${support.join(" | ")} | ${limits.join("; ")} |`;
}
