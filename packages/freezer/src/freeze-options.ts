import { type ModelCut, servingSignatureKey } from "@ckpt/graph";
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

/** What of a graph of TensorFlow is frozen besides its outputs. */
export interface GraphOptions {
  /** Values that placeholders have from now on, by name of the node: `{ is_training: false, keep_prob: 1 }`. */
  readonly pins?: Readonly<Record<string, string | number | boolean>>;
  /** The signature of a SavedModel, or of a graph that has some. Default: `serving_default`. */
  readonly signature?: string;
  /** Variables have the values of their moving averages, `<name>/ExponentialMovingAverage`, where there are. */
  readonly isAveraged?: boolean;
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

/** {@link FormatOptions} and {@link GraphOptions} checked and with their defaults, as plain data. */
export interface ArtifactRequest extends FormatChoice, Pick<ArtifactManifest, "pins"> {
  /** Absent for a whole model. */
  readonly cut?: ArtifactCut;
  /** Absent for the default one. */
  readonly signatureKey?: string;
  /** Absent for the variables themselves. */
  readonly isAveraged?: true;
  /** By ascending key; absent where there are none. */
  readonly furtherSignatures?: FurtherSignatures;
}

/**
 * Checks the options of a freeze and puts in the defaults.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function toArtifactRequest(
  { pins = {}, signature = servingSignatureKey, isAveraged = false, ...options }: FormatOptions & GraphOptions,
  { inputs, outputs, furtherSignatures = {} }: PieceOptions,
): ArtifactRequest {
  const choice = chooseFormats(options);
  const cut = { ...(inputs === undefined ? {} : { inputs }), ...(outputs === undefined ? {} : { outputs }) };
  const pinned = Object.keys(pins)
    .toSorted()
    .map((name) => [name, String(pins[name])] as const);
  return {
    ...choice,
    ...(Object.keys(cut).length === 0 ? {} : { cut }),
    ...(Object.keys(furtherSignatures).length === 0
      ? {}
      : { furtherSignatures: checkSignatures(furtherSignatures, choice) }),
    ...(pinned.length === 0 ? {} : { pins: Object.fromEntries(pinned) }),
    ...(signature === servingSignatureKey ? {} : { signatureKey: signature }),
    ...(isAveraged ? { isAveraged } : {}),
  };
}
