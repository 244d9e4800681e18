export { captureFunction, type CaptureFunctionOptions, type FunctionSignature } from "./capture/capture-function.js";
export { captureModel } from "./capture/capture-model.js";
export { type CapturedGraphModel, captureGraphModel } from "./capture/capture-graph-model.js";
export { listModelWeights, type ModelWeight } from "./capture/layer-tree.js";
export type { ModelCut } from "./capture/model-cut.js";
export { createModelFunction, type ModelFunction } from "./capture/model-function.js";
export type { TensorFunction } from "./capture/record-trace.js";
export { correctKernels } from "./correct/correct-kernels.js";
export {
  bindSignature,
  type BoundSignature,
  type BoundTensorSpec,
  convertGraphDefToGraphModel,
  emitGraphDef,
  type EmitGraphDefOptions,
  emitGraphModel,
  emitOnnx,
  type EmitOnnxOptions,
  emitSavedModel,
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
  RecurrentCell,
  ScanStep,
  SymbolicShape,
  TensorValues,
  ValueInfo,
  ValueRef,
} from "./ir/graph.js";
export { validateGraph } from "./ir/validate.js";
export { optimize } from "./passes/optimize.js";
export { bindWeights, type WeightData } from "./template/bind-weights.js";
export type { GraphTemplate, WeightSpec } from "./template/graph-template.js";
