export { bindSignature, type BoundSignature, type BoundTensorSpec } from "./bind-signature.js";
export { bindSignatures, type SignatureChoice } from "./bind-signatures.js";
export { emitGraphDef, type EmitGraphDefOptions, expandForGraphDef } from "./graph-def/emit-graph-def.js";
export { parseGraphDefText, splitGraphDefText } from "./graph-def/graph-def-text.js";
export { parseGraphDef, serializeGraphDef, splitGraphDef } from "./graph-def/serialize-graph-def.js";
export {
  convertGraphDefToGraphModel,
  type GraphModel,
  type GraphModelOptions,
  type GraphModelSignature,
  type GraphModelWeightSpec,
} from "./graph-model/convert-graph-def.js";
export { emitGraphModel } from "./graph-model/emit-graph-model.js";
export {
  emitOnnx,
  emitOnnxFiles,
  type EmitOnnxFilesOptions,
  type EmitOnnxOptions,
  type OnnxFiles,
} from "./onnx/emit-onnx.js";
export { type ExposedOnnx, exposeOnnxValues } from "./onnx/expose-values.js";
export { emitSavedModel, servingSignatureKey, splitSavedModel } from "./saved-model.js";
export { type ParsedSavedModel, parseSavedModel } from "../read/parse-saved-model.js";
export type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
