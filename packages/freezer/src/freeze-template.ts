import type { GraphTemplate, ModelCut } from "@ckpt/graph";
import { CkptError } from "@ckpt/manifest";

import type { PieceOptions } from "./freeze-options.js";
import { captureGraphModelTemplate } from "./graph-model-template.js";
import { captureLayersModelTemplate } from "./layers-model-template.js";
import type { LoadedModel } from "./load-model.js";
import type { ReferenceRunner } from "./verify/runner.js";

/**
 * A captured topology with the model it was captured from, which lends itself to every further set of weights: those of
 * `Loaded`, a model of the same kind.
 */
export interface FreezeTemplate<Loaded> {
  readonly graph: GraphTemplate;
  /** The same with the outputs of all signatures; absent where there are no further ones. */
  readonly shared: GraphTemplate | undefined;
  /** What TensorFlow.js computes wrong in this model on the current backend; the artifact does not. */
  readonly corrections: ReadonlySet<string>;
  /** What frozen formats are compared with: the model, with the weights loaded or assigned last. */
  readonly reference: ReferenceRunner;
  /** What a further signature is compared with: this piece of the model. */
  readonly createReference: (piece: ModelCut) => ReferenceRunner;
  /**
   * Gives the model the weights of another one of the same topology.
   *
   * @throws {CkptError} MODEL_UNREADABLE when the weights are not those of this topology.
   */
  assignWeights(loaded: Loaded): Promise<void>;
  /** Frees the tensors of the model. */
  dispose(): void;
}

/**
 * Makes a TensorFlow.js model and captures it, or the piece of it that is named. Custom layers have to be registered
 * with `tf.serialization.registerClass` before. The model's tensors stay until {@link FreezeTemplate.dispose}.
 *
 * @throws {CkptError} MODEL_UNREADABLE when TensorFlow.js cannot make the model or its computation is not in the files,
 *   and what `captureModel` and `captureGraphModel` throw.
 */
export async function captureTemplate(loaded: LoadedModel, piece: PieceOptions): Promise<FreezeTemplate<LoadedModel>> {
  const { format } = loaded.json;
  if (format === "layers-model") return captureLayersModelTemplate(loaded, piece);
  if (format === "graph-model") return captureGraphModelTemplate(loaded, piece);
  throw new CkptError("MODEL_UNREADABLE", {
    path: loaded.source.path,
    reason: "a model written by hand: its variables are stored here, the function that predicts with them is not",
    remedy:
      "Use the API where that function is: capture({ variables, predict, inputs }).bind(await readWeights(path)).",
  });
}
