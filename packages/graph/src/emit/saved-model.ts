import { create, toBinary } from "@bufbuild/protobuf";

import type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
import { SavedModelSchema, type TensorInfo, TensorInfoSchema } from "../proto/gen/tensorflow/saved_model_pb.js";
import type { BoundSignature, BoundTensorSpec } from "./bind-signature.js";
import { toDataType } from "./graph-def/data-type.js";
import { toTensorShapeProto } from "./graph-def/tensor-proto.js";

/** The tag set under which serving tools look for a model. */
export const servingTag = "serve";
/** The key of the signature that is taken when none is named. */
export const servingSignatureKey = "serving_default";

/**
 * Writes the `saved_model.pb` of a frozen graph; with no variables to restore, that file is the whole SavedModel. The
 * signature's order is kept, which is the positional order for TensorFlow.js in Node.
 */
export function emitSavedModel(graphDef: GraphDef, signature: BoundSignature): Uint8Array<ArrayBuffer> {
  const savedModel = create(SavedModelSchema, {
    savedModelSchemaVersion: 1n,
    metaGraphs: [
      {
        metaInfoDef: { tags: [servingTag] },
        graphDef,
        signatureDef: {
          [servingSignatureKey]: {
            inputs: toTensorInfos(signature.inputs),
            outputs: toTensorInfos(signature.outputs),
            methodName: "tensorflow/serving/predict",
          },
        },
      },
    ],
  });
  return toBinary(SavedModelSchema, savedModel);
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
