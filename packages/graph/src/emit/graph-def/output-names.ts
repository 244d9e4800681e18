/** What TensorFlow calls the outputs of operations, where that is not `output`. Reference: tensorflow/core/ops. */
const namesByOp: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  (
    [
      [
        ["y"],
        "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Exp Expm1 Floor IsFinite IsInf IsNan Log Log1p Neg",
        "OnesLike Reciprocal Round Rsqrt Sigmoid Sign Sin Sinh Sqrt Square Tan Tanh ZerosLike LogicalNot Cast",
        "Transpose",
      ],
      [
        ["z"],
        "AddV2 Atan2 FloorDiv FloorMod Maximum Minimum Mul Pow RealDiv SquaredDifference Sub Equal NotEqual Greater",
        "GreaterEqual Less LessEqual LogicalAnd LogicalOr",
      ],
      [["activations"], "Elu LeakyRelu Relu Relu6 Selu Softplus"],
      [["softmax"], "Softmax"],
      [["logsoftmax"], "LogSoftmax"],
      [["sum"], "AddN"],
      [["product"], "MatMul"],
      [["resized_images"], "ResizeBilinear ResizeNearestNeighbor"],
      [["out"], "Cumprod Cumsum"],
      [["values", "indices"], "TopKV2"],
      [["handle"], "TensorListReserve"],
      [["output_handle"], "TensorListSetItem"],
      [["tensor"], "TensorListStack"],
    ] as const
  ).flatMap(([names, ...lines]) => lines.flatMap((line) => line.split(" ").map((op) => [op, names] as const))),
);

/**
 * An output of a node as a FunctionDef names it, such as `MatMul:product:0`. Where an operation gives a list, the number
 * counts in the list.
 */
export function nameFunctionOutput(name: string, op: string, output: number): string {
  const names = namesByOp[op];
  return names === undefined ? `${name}:output:${output}` : `${name}:${names[output] ?? ""}:0`;
}
