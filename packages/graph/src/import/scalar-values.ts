import { DataType, type NodeDef, type TensorProto } from "../proto/gen/tensorflow/graph_pb.js";
import { readNarrowValues } from "./narrow-tensor.js";

type Evaluate = (...inputs: readonly number[]) => number;

/** Operations that stand between a pinned placeholder and the predicate of a branch. */
const evaluators: Readonly<Record<string, Evaluate>> = {
  Identity: (x = 0) => x,
  Cast: (x = 0) => x,
  Squeeze: (x = 0) => x,
  LogicalNot: (x) => Number(x === 0),
  LogicalAnd: (a, b) => Number(a !== 0 && b !== 0),
  LogicalOr: (a, b) => Number(a !== 0 || b !== 0),
  Equal: (a, b) => Number(a === b),
  NotEqual: (a, b) => Number(a !== b),
  Greater: (a = 0, b = 0) => Number(a > b),
  GreaterEqual: (a = 0, b = 0) => Number(a >= b),
  Less: (a = 0, b = 0) => Number(a < b),
  LessEqual: (a = 0, b = 0) => Number(a <= b),
};

const numeric: ReadonlySet<DataType> = new Set([
  DataType.DT_BOOL,
  DataType.DT_FLOAT,
  DataType.DT_INT32,
  DataType.DT_INT64,
]);

function readScalar(tensor: TensorProto, where: string): number | undefined {
  const sizes = tensor.tensorShape?.dim ?? [];
  if (sizes.some(({ size }) => size !== 1n) || !numeric.has(tensor.dtype)) return undefined;
  return readNarrowValues(tensor, where).values[0];
}

/**
 * The value of a node that is a scalar known before run time; booleans are 0 or 1.
 *
 * @param inputs - Those of its data inputs, as far as they are known.
 */
export function evaluateScalar(node: NodeDef, inputs: readonly (number | undefined)[]): number | undefined {
  const value = node.attr["value"]?.value;
  if (node.op === "Const") return value?.case === "tensor" ? readScalar(value.value, node.name) : undefined;
  const evaluate = Object.hasOwn(evaluators, node.op) ? evaluators[node.op] : undefined;
  const known = inputs.filter((input) => input !== undefined);
  return evaluate === undefined || known.length < inputs.length ? undefined : evaluate(...known);
}
