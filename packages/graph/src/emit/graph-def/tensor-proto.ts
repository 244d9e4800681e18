import { create } from "@bufbuild/protobuf";

import type { Constant, SymbolicShape } from "../../ir/graph.js";
import {
  type TensorProto,
  TensorProtoSchema,
  type TensorShapeProto,
  TensorShapeProtoSchema,
} from "../../proto/gen/tensorflow/graph_pb.js";
import { toLittleEndianBytes } from "../little-endian.js";
import { toDataType } from "./data-type.js";

/** A shape as a message; an unknown size is -1. */
export function toTensorShapeProto(shape: SymbolicShape): TensorShapeProto {
  return create(TensorShapeProtoSchema, { dim: shape.map((size) => ({ size: BigInt(size ?? -1) })) });
}

/** A constant as a message, its values in `tensor_content`. */
export function toTensorProto(constant: Constant): TensorProto {
  return create(TensorProtoSchema, {
    dtype: toDataType(constant.dtype),
    tensorShape: toTensorShapeProto(constant.shape),
    tensorContent: toLittleEndianBytes(constant.values),
  });
}
