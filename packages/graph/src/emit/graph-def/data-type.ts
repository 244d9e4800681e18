import { CkptError, type Dtype, dtypes } from "@ckpt/manifest";

import { DataType } from "../../proto/gen/tensorflow/graph_pb.js";

const dataTypes: Readonly<Record<Dtype, DataType>> = {
  float32: DataType.DT_FLOAT,
  int32: DataType.DT_INT32,
  bool: DataType.DT_BOOL,
  string: DataType.DT_STRING,
};

/** TensorFlow's number of an element type. */
export function toDataType(dtype: Dtype): DataType {
  return dataTypes[dtype];
}

/**
 * The element type that TensorFlow's number stands for.
 *
 * @throws {CkptError} UNSUPPORTED_DTYPE when TensorFlow.js has no such element type.
 */
export function fromDataType(dataType: DataType, where: string): Dtype {
  const found = dtypes.find((dtype) => dataTypes[dtype] === dataType);
  if (found === undefined) {
    const dtype = DataType[dataType] ?? String(dataType);
    throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: dtypes });
  }
  return found;
}
