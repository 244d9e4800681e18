import { create } from "@bufbuild/protobuf";

import type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
import {
  SavedModelSchema,
  type SignatureDef,
  SignatureDefSchema,
  type TensorInfo,
  TensorInfoSchema,
} from "../proto/gen/tensorflow/saved_model_pb.js";
import { joinParts, splitMessage } from "../proto/split-message.js";
import type { BoundSignature, BoundTensorSpec } from "./bind-signature.js";
import { toDataType } from "./graph-def/data-type.js";
import { toTensorShapeProto } from "./graph-def/tensor-proto.js";

/** The tag set under which serving tools look for a model. */
export const servingTag = "serve";
/** The key of the signature that is taken when none is named. */
export const servingSignatureKey = "serving_default";

/**
 * Writes the `saved_model.pb` of a frozen graph; with no variables to restore, that file is the whole SavedModel. The
 * order of each signature's inputs and outputs is kept, which is the positional order for TensorFlow.js in Node.
 *
 * @param signatures - By key; all are of this one graph, whose nodes they share (see `bindSignatures`).
 * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB.
 */
export function emitSavedModel(
  graphDef: GraphDef,
  signatures: Readonly<Record<string, BoundSignature>>,
): Uint8Array<ArrayBuffer> {
  return joinParts(splitSavedModel(graphDef, signatures));
}

/**
 * As {@link emitSavedModel}, in parts that are one file: large constants are not copied.
 *
 * @throws {CkptError} FORMAT_TOO_LARGE above 2 GiB.
 */
export function splitSavedModel(
  graphDef: GraphDef,
  signatures: Readonly<Record<string, BoundSignature>>,
): readonly Uint8Array[] {
  const savedModel = create(SavedModelSchema, {
    savedModelSchemaVersion: 1n,
    metaGraphs: [
      {
        metaInfoDef: { tags: [servingTag] },
        graphDef,
        signatureDef: Object.fromEntries(
          Object.entries(signatures)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, signature]) => [key, toSignatureDef(signature)]),
        ),
      },
    ],
  });
  return splitMessage(SavedModelSchema, savedModel, "SavedModel");
}

function toSignatureDef({ inputs, outputs }: BoundSignature): SignatureDef {
  return create(SignatureDefSchema, {
    inputs: toTensorInfos(inputs),
    outputs: toTensorInfos(outputs),
    methodName: "tensorflow/serving/predict",
  });
}

function toTensorInfos(specs: readonly BoundTensorSpec[]): Record<string, TensorInfo> {
  return Object.fromEntries(specs.map((spec) => [spec.name, toTensorInfo(spec)]));
}

/** A bound tensor spec as a message, its shape included: TensorFlow.js in Node fails without one. */
export function toTensorInfo(spec: BoundTensorSpec): TensorInfo {
  return create(TensorInfoSchema, {
    encoding: { case: "name", value: spec.tensor },
    dtype: toDataType(spec.dtype),
    tensorShape: toTensorShapeProto(spec.shape),
  });
}
