export { type GraphFigures, measureGraph } from "./analyze/measure-graph.js";
export { captureFunction, type CaptureFunctionOptions, type FunctionSignature } from "./capture/capture-function.js";
export { captureModel } from "./capture/capture-model.js";
export { type CapturedGraphModel, captureGraphModel } from "./capture/capture-graph-model.js";
export { listModelWeights, type ModelWeight } from "./capture/layer-tree.js";
export type { ModelCut } from "./capture/model-cut.js";
export { createModelFunction, type ModelFunction } from "./capture/model-function.js";
export { type LayerCall, runLayers } from "./capture/run-layers.js";
export type { TensorFunction } from "./capture/record-trace.js";
export { correctKernels } from "./correct/correct-kernels.js";
export { createDrawing, describeOmissions, type Drawing, type DrawingOptions, type NamedNode } from "./draw/drawing.js";
export { drawMermaid } from "./draw/draw-mermaid.js";
export { drawSvg } from "./draw/draw-svg.js";
export {
  bindSignature,
  bindSignatures,
  type BoundSignature,
  type BoundTensorSpec,
  convertGraphDefToGraphModel,
  emitGraphDef,
  type EmitGraphDefOptions,
  emitGraphModel,
  emitOnnx,
  emitOnnxFiles,
  type EmitOnnxFilesOptions,
  type EmitOnnxOptions,
  emitSavedModel,
  expandForGraphDef,
  type ExposedOnnx,
  exposeOnnxValues,
  type GraphDef,
  type GraphModel,
  type GraphModelOptions,
  type GraphModelSignature,
  type GraphModelWeightSpec,
  type OnnxFiles,
  parseGraphDef,
  parseGraphDefText,
  type ParsedSavedModel,
  parseSavedModel,
  serializeGraphDef,
  servingSignatureKey,
  type SignatureChoice,
  splitGraphDef,
  splitGraphDefText,
  splitSavedModel,
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
export { captureGraphDef } from "./import/capture-graph-def.js";
export type { GraphVariable, VariableSlice } from "./import/find-variables.js";
export { loadGraphDef, type LoadedGraphDef } from "./import/load-graph-def.js";
export { narrowNumbers } from "./import/narrow-numbers.js";
export type { Pins } from "./import/pin-placeholders.js";
export {
  type ImportedOutput,
  type ImportPlan,
  listOutputCandidates,
  planImport,
  type PlanImportOptions,
} from "./import/plan-import.js";
export type { OutputCandidate } from "./import/propose-outputs.js";
export {
  type ImportedMetaGraph,
  type ImportedSignature,
  parseMetaGraph,
  parseMetaGraphs,
} from "./read/parse-meta-graph.js";
export { validateGraph } from "./ir/validate.js";
export { optimize } from "./passes/optimize.js";
export { readConstants } from "./read/read-constants.js";
export { bindWeights, type WeightData } from "./template/bind-weights.js";
export type { GraphTemplate, WeightSpec } from "./template/graph-template.js";
