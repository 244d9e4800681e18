import { isCkptError } from "@ckpt/manifest";

import { DataType, type NodeDef, type TensorProto } from "../proto/gen/tensorflow/graph_pb.js";
import { typeAttribute } from "./attributes.js";
import { narrowType, readNarrowValues } from "./narrow-tensor.js";

type Evaluate = (...inputs: readonly number[]) => number;

/** Operations that stand between a pinned placeholder and the predicate of a branch. */
const evaluators: Readonly<Record<string, Evaluate>> = {
  Identity: (x = 0) => x,
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

/** One that cannot be read is not known; it is refused where its value is needed. */
function readScalar(tensor: TensorProto, where: string): number | undefined {
  const sizes = tensor.tensorShape?.dim ?? [];
  if (sizes.some(({ size }) => size !== 1n) || !numeric.has(tensor.dtype)) return undefined;
  try {
    return readNarrowValues(tensor, where).values[0];
  } catch (error) {
    if (isCkptError(error)) return undefined;
    throw error;
  }
}

/** The number in another element type; `undefined` for one that is not known to hold it. */
function castScalar(value: number, type: DataType | undefined): number | undefined {
  const narrowed = type === undefined ? undefined : narrowType(type);
  if (narrowed === DataType.DT_BOOL) return Number(value !== 0);
  if (narrowed === DataType.DT_FLOAT) return Math.fround(value);
  const whole = Math.trunc(value);
  return narrowed === DataType.DT_INT32 && Math.abs(whole) < 2 ** 31 ? whole : undefined;
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
  const [first] = known;
  if (node.op === "Cast") return first === undefined ? undefined : castScalar(first, typeAttribute(node, "DstT"));
  return evaluate === undefined || known.length < inputs.length ? undefined : evaluate(...known);
}
