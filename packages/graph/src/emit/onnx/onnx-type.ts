import { create } from "@bufbuild/protobuf";
import { CkptError, type Dtype } from "@ckpt/manifest";

import type { TensorValues } from "../../ir/graph.js";
import { TensorProto_DataType, type TensorProto, TensorProtoSchema } from "../../proto/gen/onnx/onnx_pb.js";
import { toLittleEndianBytes } from "../little-endian.js";

/** A constant of the ONNX graph. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly values: TensorValues | BigInt64Array;
}

/** An element type of ONNX that the emitter writes; int64 for shapes and axes only. */
export type OnnxType = "float32" | "int32" | "int64" | "bool";

const dataTypes: Readonly<Record<OnnxType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** ONNX's number of an element type. */
export function toOnnxDataType(type: OnnxType): TensorProto_DataType {
  return dataTypes[type];
}

/**
 * The ONNX element type of a tensor.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when it holds strings.
 */
export function toOnnxType(dtype: Dtype, where: string): OnnxType {
  if (dtype === "string") {
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: ["float32", "int32", "bool"] });
  }
  return dtype;
}

/** A named tensor as a message, its values in `raw_data`. */
export function toOnnxTensor({ name, type, shape, values }: OnnxInitializer): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: toOnnxDataType(type),
    rawData: toLittleEndianBytes(values),
  });
}
