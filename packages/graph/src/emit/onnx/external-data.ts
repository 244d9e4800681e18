import { create } from "@bufbuild/protobuf";

import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "../../proto/gen/onnx/onnx_pb.js";
import { toLittleEndianBytes } from "../little-endian.js";
import { type OnnxInitializer, toOnnxDataType, toOnnxTensor } from "./onnx-type.js";

/** Smaller tensors stay in the model, where shapes and axes are looked for. */
const leastMovedBytes = 1024;
/** From this size on a tensor begins on a page of its own, so that it can be mapped into memory. */
const pagedBytes = 1 << 20;
const pageBytes = 4096;
/** Where smaller ones begin: on a cache line. */
const lineBytes = 64;

/** Tensors that say where in a file their values are, and the content of that file. */
export interface MovedTensors {
  readonly tensors: readonly TensorProto[];
  /** In parts, zeros between them among these. */
  readonly data: readonly Uint8Array[];
}

/**
 * Moves the values of all but small tensors out of the model, one after the other with zeros between.
 *
 * Reference: "External Data" of the ONNX documentation.
 *
 * @param location - Name of the file, in the folder of the model.
 */
export function moveToFile(initializers: readonly OnnxInitializer[], location: string): MovedTensors {
  const data: Uint8Array[] = [];
  let end = 0;
  const tensors = initializers.map((initializer) => {
    const { name, type, shape, values } = initializer;
    const length = values.byteLength;
    if (length < leastMovedBytes) return toOnnxTensor(initializer);
    const offset = roundUp(end, length < pagedBytes ? lineBytes : pageBytes);
    data.push(new Uint8Array(offset - end), toLittleEndianBytes(values));
    end = offset + length;
    return create(TensorProtoSchema, {
      name,
      dims: shape.map(BigInt),
      dataType: toOnnxDataType(type),
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value: String(value) })),
    });
  });
  return { tensors, data };
}

function roundUp(size: number, multiple: number): number {
  return Math.ceil(size / multiple) * multiple;
}
