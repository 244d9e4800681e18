import type { ModelCut } from "@ckpt/graph";
import type { ArtifactCut, ArtifactFormat, ArtifactManifest, QuantizeRule, Sealed } from "@ckpt/manifest";

import { chooseFormats, type FormatChoice } from "./choose-formats.js";
import type { FreezeProgress } from "./progress.js";
import { checkSignatures, type FurtherSignatures } from "./saved-model-signatures.js";

/** What to write, and how close it has to be. */
export interface FormatOptions {
  /** Default: `defaultArtifactFormats`. */
  readonly formats?: readonly ArtifactFormat[];
  /**
   * Largest accepted absolute error against the source's own model, per output; for an output whose values go beyond 1,
   * times its largest magnitude. Default: 1e-5, and for a quantized GraphModel what {@link quantizedTolerances} says of
   * the coarsest form asked for.
   */
  readonly tolerance?: number;
  /**
   * How the GraphModel stores its float32 weights: of the rules that match a weight's name in `model.json`, such as
   * `encoder/dense_1/kernel`, the last one says it. Only storage: they are floats again when it is loaded. Default: as
   * they are.
   */
  readonly quantize?: readonly QuantizeRule[];
  /**
   * Recurrences of no more steps stand in GraphModel, GraphDef and SavedModel step by step; longer ones are a loop, for
   * which TensorFlow.js wants `executeAsync`. ONNX has operations for them. Default: 200.
   */
  readonly maxUnrolledSteps?: number;
  readonly onProgress?: (progress: FreezeProgress) => void;
}

/** Which piece of a model, and what else its SavedModel offers. */
export interface PieceOptions extends ModelCut {
  /**
   * Signatures of the SavedModel besides `serving_default`, by key: the outputs of each, named as those of a cut. They share
   * one graph, and each takes the inputs that its outputs need. Default: none.
   */
  readonly furtherSignatures?: FurtherSignatures;
}

/** A format that was written but not compared with the source. */
export interface UnverifiedFormat {
  readonly format: ArtifactFormat;
  /** Why, such as that the engine's package is not installed. */
  readonly reason: string;
}

/** An artifact in place. */
export interface FreezeResult {
  /** The artifact's folder. */
  readonly path: string;
  readonly manifest: Sealed<ArtifactManifest>;
  /** The artifact was there already, of the same source and formats, and was left as it is. */
  readonly isReused: boolean;
  readonly unverified: readonly UnverifiedFormat[];
}

/** {@link FormatOptions} checked and with their defaults, as plain data. */
export interface ArtifactRequest extends FormatChoice {
  /** Absent for a whole model. */
  readonly cut?: ArtifactCut;
  /** By ascending key; absent where there are none. */
  readonly furtherSignatures?: FurtherSignatures;
}

/**
 * Checks the options of a freeze and puts in the defaults.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function toArtifactRequest(options: FormatOptions, piece: PieceOptions): ArtifactRequest {
  const { inputs, outputs, furtherSignatures = {} } = piece;
  const choice = chooseFormats(options);
  const isWhole = inputs === undefined && outputs === undefined;
  const cut = { ...(inputs === undefined ? {} : { inputs }), ...(outputs === undefined ? {} : { outputs }) };
  return {
    ...choice,
    ...(isWhole ? {} : { cut }),
    ...(Object.keys(furtherSignatures).length === 0
      ? {}
      : { furtherSignatures: checkSignatures(furtherSignatures, choice) }),
  };
}
