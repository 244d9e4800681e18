/**
 * Operations that TensorFlow.js 4.22 executes in a GraphModel and that belong into an inference graph, those included that
 * only stand in what is computed once and for all, and loops.
 * Reference: the op lists of @tensorflow/tfjs-converter.
 */
const executable: ReadonlySet<string> = new Set(
  [
    "Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool AvgPool3D BatchMatMul",
    "BatchMatMulV2 BatchToSpaceND BiasAdd Bincount BitwiseAnd BroadcastArgs BroadcastTo Cast Ceil ClipByValue Concat",
    "ConcatV2 Const Conv1D Conv2D Conv2DBackpropInput Conv3D Cos Cosh CropAndResize Cumprod Cumsum DenseBincount",
    "DepthToSpace DepthwiseConv2dNative Dilation2D Div DivNoNan Einsum Elu EmptyTensorList EnsureShape Enter Equal Erf",
    "EuclideanNorm Exit Exp ExpandDims Expm1 Fill Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2",
    "FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual Identity IdentityN If IsFinite IsInf IsNan LRN",
    "LeakyRelu Less LessEqual LinSpace ListDiff Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LoopCond LowerBound",
    "MatMul MatrixBandPart Max MaxPool MaxPool3D MaxPoolWithArgmax Maximum Mean Merge Min Minimum MirrorPad Mod Mul",
    "Multinomial Neg NextIteration NonMaxSuppressionV2 NonMaxSuppressionV3 NotEqual OneHot Ones OnesLike Pack Pad PadV2",
    "Placeholder PlaceholderWithDefault Pow Prelu Prod RandomStandardNormal RandomUniform RandomUniformInt Range Rank",
    "RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor Reverse ReverseV2 Round Rsqrt ScatterNd",
    "Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Softmax Softplus SpaceToBatchND SparseToDense",
    "Split SplitV Sqrt Square SquaredDifference Squeeze StatelessIf StatelessWhile StridedSlice Sub Sum Switch Tan Tanh",
    "TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3",
    "TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TensorListConcat TensorListConcatV2",
    "TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack",
    "TensorListReserve TensorListResize TensorListScatter TensorListScatterV2 TensorListSetItem TensorListSplit",
    "TensorListStack TensorScatterUpdate Tile TopKV2 Transpose TruncatedNormal Unique UniqueV2 Unpack UpperBound Where",
    "While Zeros ZerosLike",
  ].flatMap((line) => line.split(" ")),
);

/** Why TensorFlow.js 4.22 cannot execute an operation of an imported graph; `undefined` where it can. */
export function findExecutionReason(op: string): string | undefined {
  return executable.has(op) ? undefined : "TensorFlow.js does not execute it";
}
