const complex = "complex numbers have no counterpart in every format";
const dom = "it reads or draws a picture of a browser's page";
const gradient = "it belongs to training, not to inference";
const ragged = "it works on ragged tensors";
const random = "it draws random numbers";
const sparse = "the shape of its result depends on the values of its arguments";
const strings = "it works on strings";
const unused = "no function of TensorFlow.js 4.22 runs it";

/**
 * Why each kernel of TensorFlow.js 4.22 that is not translated is not, by name. `Fill`, `LinSpace` and `Range` take no
 * tensors: their results are constants of a graph, and so never reach a translation.
 */
export const refusedKernels: Readonly<Record<string, string>> = {
  AvgPool3DGrad: gradient,
  AvgPoolGrad: gradient,
  BitwiseAnd: "neither ONNX nor a GraphModel that runs has it",
  BroadcastArgs: "it computes with shapes as values",
  BroadcastTo: unused,
  Complex: complex,
  ComplexAbs: complex,
  Conv2DBackpropFilter: gradient,
  Conv3DBackpropFilterV2: gradient,
  DepthwiseConv2dNativeBackpropFilter: gradient,
  DepthwiseConv2dNativeBackpropInput: gradient,
  Dilation2DBackpropFilter: gradient,
  Dilation2DBackpropInput: gradient,
  Draw: dom,
  EluGrad: gradient,
  FFT: complex,
  FromPixels: dom,
  IFFT: complex,
  Imag: complex,
  LRNGrad: gradient,
  LogSoftmax: unused,
  LogicalXor: unused,
  LowerBound: unused,
  MatrixBandPart: unused,
  MaxPool3DGrad: gradient,
  MaxPoolGrad: gradient,
  Multinomial: random,
  NonMaxSuppressionV3: sparse,
  NonMaxSuppressionV4: sparse,
  NonMaxSuppressionV5: sparse,
  Pool: unused,
  RaggedGather: ragged,
  RaggedRange: ragged,
  RaggedTensorToTensor: ragged,
  Real: complex,
  ResizeBilinearGrad: gradient,
  ResizeNearestNeighborGrad: gradient,
  SparseFillEmptyRows: sparse,
  SparseReshape: sparse,
  SparseSegmentMean: sparse,
  SparseSegmentSum: sparse,
  StaticRegexReplace: strings,
  StringNGrams: strings,
  StringSplit: strings,
  StringToHashBucketFast: strings,
  Transform: "the cpu backend computes it for the first example only, and ONNX has nothing like it",
  Unique: sparse,
  UpperBound: unused,
};

/** Why a kernel without a translation has none; kernels that are not TensorFlow.js' own included. */
export function refusalOf(kernel: string): string {
  return Object.hasOwn(refusedKernels, kernel)
    ? (refusedKernels[kernel] ?? "")
    : "there is no translation of this kernel";
}
