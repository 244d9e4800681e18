export { bindSignature, type BoundSignature, type BoundTensorSpec } from "./bind-signature.js";
export { emitGraphDef, type EmitGraphDefOptions } from "./graph-def/emit-graph-def.js";
export { parseGraphDef, serializeGraphDef } from "./graph-def/serialize-graph-def.js";
export {
  convertGraphDefToGraphModel,
  type GraphModel,
  type GraphModelSignature,
  type GraphModelWeightSpec,
} from "./graph-model/convert-graph-def.js";
export { emitGraphModel } from "./graph-model/emit-graph-model.js";
export { emitOnnx, type EmitOnnxOptions } from "./onnx/emit-onnx.js";
export { emitSavedModel } from "./saved-model.js";
export { type ParsedSavedModel, parseSavedModel } from "../read/parse-saved-model.js";
export type { GraphDef } from "../proto/gen/tensorflow/graph_pb.js";
