import { type CapturedGraphModel, captureGraphModel, correctKernels, type ModelCut } from "@ckpt/graph";

import { tf } from "#tfjs";

import type { PieceOptions } from "./freeze-options.js";
import type { FreezeTemplate } from "./freeze-template.js";
import type { LoadedModel } from "./load-model.js";
import { readable } from "./readable.js";
import { joinSignatures } from "./saved-model-signatures.js";
import { createFunctionRunner } from "./verify/tfjs-runner.js";

/**
 * Makes a GraphModel and captures it by running it, so that what its graph has fused comes out as single operations.
 *
 * @throws {CkptError} MODEL_UNREADABLE when TensorFlow.js cannot make the model, and what `captureGraphModel` throws.
 */
export async function captureGraphModelTemplate(
  loaded: LoadedModel,
  { furtherSignatures, ...cut }: PieceOptions,
): Promise<FreezeTemplate<LoadedModel>> {
  const { topology, weightSpecs, extras } = loaded.json;
  const model = await readable(loaded, () =>
    tf.loadGraphModel(
      tf.io.fromMemory({
        ...extras,
        modelTopology: topology,
        weightSpecs: [...weightSpecs],
        weightData: loaded.weightBytes.buffer,
      }),
    ),
  );
  try {
    const corrections = new Set<string>();
    const capture = (piece: ModelCut): CapturedGraphModel =>
      correctKernels(
        () => captureGraphModel(model, listNodes(topology), piece),
        (reason) => corrections.add(reason),
      );
    const { template, compute } = capture(cut);
    return {
      graph: template,
      shared:
        furtherSignatures === undefined
          ? undefined
          : capture(joinSignatures(cut, template.signature, furtherSignatures)).template,
      corrections,
      reference: createFunctionRunner(compute),
      createReference: (piece) => createFunctionRunner(capture(piece).compute),
      // Equal topologies of GraphModels are the same files.
      assignWeights: async () => {},
      dispose: () => {
        model.dispose();
      },
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function listNodes(topology: object): readonly string[] {
  const nodes: unknown = "node" in topology ? topology.node : [];
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: { readonly name?: unknown }) => (typeof node.name === "string" ? node.name : []));
}
