export { captureFunction, type CaptureFunctionOptions } from "./capture/capture-function.js";
export { captureModel } from "./capture/capture-model.js";
export { type LayerCall, runLayers } from "./capture/run-layers.js";
export type { TensorFunction } from "./capture/record-trace.js";
export {
  bindSignature,
  type BoundSignature,
  type BoundTensorSpec,
  convertGraphDefToGraphModel,
  emitGraphDef,
  emitGraphModel,
  emitOnnx,
  type EmitOnnxOptions,
  emitSavedModel,
  type ExposedOnnx,
  exposeOnnxValues,
  type GraphDef,
  type GraphModel,
  type GraphModelSignature,
  type GraphModelWeightSpec,
  parseGraphDef,
  type ParsedSavedModel,
  parseSavedModel,
  serializeGraphDef,
} from "./emit/index.js";
export type {
  Attribute,
  Constant,
  Graph,
  GraphInput,
  GraphOutput,
  Node,
  SymbolicShape,
  TensorValues,
  ValueInfo,
  ValueRef,
} from "./ir/graph.js";
export { validateGraph } from "./ir/validate.js";
export { optimize } from "./passes/optimize.js";
export { bindWeights, type WeightData } from "./template/bind-weights.js";
export type { GraphTemplate, WeightSpec } from "./template/graph-template.js";
