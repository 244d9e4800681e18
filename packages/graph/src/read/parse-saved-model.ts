import { fromBinary } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import type { BoundSignature, BoundTensorSpec } from "../emit/bind-signature.js";
import { fromDataType } from "../emit/graph-def/data-type.js";
import { servingSignatureKey, servingTag } from "../emit/saved-model.js";
import type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
import {
  type SavedModel,
  SavedModelSchema,
  type SignatureDef,
  type TensorInfo,
} from "../proto/gen/tensorflow/saved_model_pb.js";

/** What a SavedModel holds for inference. */
export interface ParsedSavedModel {
  readonly graphDef: GraphDef;
  /** The one asked for. */
  readonly signature: BoundSignature;
  /** Keys of all that there are. */
  readonly signatureKeys: readonly string[];
}

/**
 * Reads the graph and one of its signatures out of the bytes of a `saved_model.pb`.
 *
 * @throws {CkptError} MODEL_UNREADABLE when they are no SavedModel, or one without the tag `serve` or the signature;
 * `name` says whose bytes they are.
 * @throws {CkptError} UNSUPPORTED_DTYPE when the signature has an element type that TensorFlow.js does not have.
 */
export function parseSavedModel(
  bytes: Uint8Array,
  name: string = "SavedModel",
  signatureKey: string = servingSignatureKey,
): ParsedSavedModel {
  const refuse = (reason: string, cause?: unknown): CkptError =>
    new CkptError("MODEL_UNREADABLE", { path: name, reason, remedy: "Name a SavedModel made for serving." }, { cause });
  let savedModel: SavedModel;
  try {
    savedModel = fromBinary(SavedModelSchema, bytes);
  } catch (cause) {
    throw refuse(`not a SavedModel: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const metaGraph = savedModel.metaGraphs.find((each) => each.metaInfoDef?.tags.includes(servingTag) === true);
  if (metaGraph?.graphDef === undefined) {
    throw refuse(`no graph with the tag ${servingTag}`);
  }
  const signature = metaGraph.signatureDef[signatureKey];
  const signatureKeys = Object.keys(metaGraph.signatureDef).toSorted();
  if (signature === undefined) {
    throw refuse(`no signature ${signatureKey}; there are: ${signatureKeys.join(", ") || "none"}`);
  }
  return { graphDef: metaGraph.graphDef, signature: toBoundSignature(signature), signatureKeys };
}

function toBoundSignature({ inputs, outputs }: SignatureDef): BoundSignature {
  return {
    inputs: Object.entries(inputs).map(([key, info]) => toBoundTensorSpec(key, info)),
    outputs: Object.entries(outputs).map(([key, info]) => toBoundTensorSpec(key, info)),
  };
}

function toBoundTensorSpec(name: string, info: TensorInfo): BoundTensorSpec {
  return {
    name,
    dtype: fromDataType(info.dtype, `signature ${name}`),
    shape: (info.tensorShape?.dim ?? []).map(({ size }) => (size < 0n ? null : Number(size))),
    tensor: info.encoding.case === "name" ? info.encoding.value : "",
  };
}
