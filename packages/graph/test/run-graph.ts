import * as tf from "@tensorflow/tfjs";

import { correctKernels } from "../src/index.js";
import type { Attribute, Graph, Node, ScanStep } from "../src/ir/graph.js";

type Run = (inputs: tf.Tensor[], node: Node) => tf.Tensor | tf.Tensor[];

type AttributeValue<Kind extends Attribute["kind"]> = Extract<Attribute, { kind: Kind }>["value"];

function read<Kind extends Attribute["kind"]>(node: Node, name: string, kind: Kind): AttributeValue<Kind> {
  const found = node.attributes[name];
  if (found === undefined || found.kind !== kind) throw new TypeError(`${node.name}: no ${kind} attribute ${name}`);
  return found.value as AttributeValue<Kind>;
}

function numbers(tensor: tf.Tensor | undefined): number[] {
  if (tensor === undefined) throw new TypeError("An input is missing.");
  return Array.from(tensor.dataSync());
}

const number = (tensor: tf.Tensor | undefined): number => numbers(tensor)[0] ?? Number.NaN;

function unary(run: (x: tf.Tensor) => tf.Tensor): Run {
  return ([x]) => run(x!);
}

function binary(run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Run {
  return ([a, b]) => run(a!, b!);
}

function reduce(run: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor): Run {
  return ([x, axes], node) => run(x!, numbers(axes), read(node, "keep_dims", "bool"));
}

function spatial(values: readonly number[]): [number, number] {
  return [values[1]!, values[2]!];
}

function volumetric(values: readonly number[]): [number, number, number] {
  return [values[1]!, values[2]!, values[3]!];
}

function padding(node: Node): "same" | "valid" | tf.backend_util.ExplicitPadding {
  const name = read(node, "padding", "string");
  if (name !== "EXPLICIT") return name === "SAME" ? "same" : "valid";
  const flat = read(node, "explicit_paddings", "ints");
  return [0, 2, 4, 6].map((start) => flat.slice(start, start + 2)) as unknown as tf.backend_util.ExplicitPadding;
}

const pairs = (tensor: tf.Tensor | undefined): [number, number][] => {
  const flat = numbers(tensor);
  return Array.from({ length: flat.length / 2 }, (_, row) => [flat[2 * row]!, flat[2 * row + 1]!]);
};

const runs: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(
    (
      [
        "Abs",
        "Acos",
        "Asin",
        "Atan",
        "Ceil",
        "Cos",
        "Elu",
        "Erf",
        "Exp",
        "Expm1",
        "Floor",
        "IsNan",
        "Log",
        "Log1p",
        "LogSoftmax",
        "LogicalNot",
        "Neg",
        "OnesLike",
        "Reciprocal",
        "Relu",
        "Relu6",
        "Round",
        "Rsqrt",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sin",
        "Softmax",
        "Softplus",
        "Sqrt",
        "Square",
        "Tan",
        "Tanh",
        "ZerosLike",
      ] as const
    ).map((op): [string, Run] => {
      const run = Reflect.get(tf, op.charAt(0).toLowerCase() + op.slice(1)) as (x: tf.Tensor) => tf.Tensor;
      return [op, unary((x) => run(x))];
    }),
  ),
  Identity: unary((x) => x),
  AddV2: binary(tf.add),
  Atan2: binary(tf.atan2),
  BiasAdd: ([x, bias]) => {
    if (bias!.rank !== 1 || bias!.shape[0] !== x!.shape.at(-1))
      throw new TypeError("BiasAdd needs one value a channel.");
    return tf.add(x!, bias!);
  },
  Equal: binary(tf.equal),
  FloorDiv: binary(tf.floorDiv),
  FloorMod: binary(tf.mod),
  Greater: binary(tf.greater),
  GreaterEqual: binary(tf.greaterEqual),
  Less: binary(tf.less),
  LessEqual: binary(tf.lessEqual),
  LogicalAnd: binary(tf.logicalAnd),
  LogicalOr: binary(tf.logicalOr),
  Maximum: binary(tf.maximum),
  Minimum: binary(tf.minimum),
  Mul: binary(tf.mul),
  NotEqual: binary(tf.notEqual),
  Pow: binary(tf.pow),
  Prelu: binary(tf.prelu),
  RealDiv: binary(tf.div),
  SquaredDifference: binary(tf.squaredDifference),
  Sub: binary(tf.sub),
  AddN: (inputs) => tf.addN(inputs),
  Cast: ([x], node) => tf.cast(x!, node.outputs[0]!.dtype),
  ClipByValue: ([x, low, high]) => tf.clipByValue(x!, number(low), number(high)),
  LeakyRelu: ([x], node) => tf.leakyRelu(x!, read(node, "alpha", "float")),
  SelectV2: ([condition, t, e]) => tf.where(condition!, t!, e!),

  MatMul: ([a, b], node) => {
    if (a!.rank !== 2 || b!.rank !== 2) throw new TypeError("MatMul needs matrices.");
    return tf.matMul(a!, b!, read(node, "transpose_a", "bool"), read(node, "transpose_b", "bool"));
  },
  BatchMatMulV2: ([a, b], node) => tf.matMul(a!, b!, read(node, "adj_x", "bool"), read(node, "adj_y", "bool")),
  Einsum: (inputs, node) => tf.einsum(read(node, "equation", "string"), ...inputs),
  Conv2D: ([x, filter], node) =>
    tf.conv2d(
      x as tf.Tensor4D,
      filter as tf.Tensor4D,
      spatial(read(node, "strides", "ints")),
      padding(node),
      "NHWC",
      spatial(read(node, "dilations", "ints")),
    ),
  DepthwiseConv2dNative: ([x, filter], node) =>
    tf.depthwiseConv2d(
      x as tf.Tensor4D,
      filter as tf.Tensor4D,
      spatial(read(node, "strides", "ints")),
      padding(node),
      "NHWC",
      spatial(read(node, "dilations", "ints")),
    ),
  Conv2DBackpropInput: ([sizes, filter, dy], node) =>
    tf.conv2dTranspose(
      dy as tf.Tensor4D,
      filter as tf.Tensor4D,
      numbers(sizes) as [number, number, number, number],
      spatial(read(node, "strides", "ints")),
      padding(node),
    ),
  Conv3D: ([x, filter], node) =>
    tf.conv3d(
      x as tf.Tensor5D,
      filter as tf.Tensor5D,
      volumetric(read(node, "strides", "ints")),
      padding(node) as "same",
      "NDHWC",
      volumetric(read(node, "dilations", "ints")),
    ),
  // The kernel of TensorFlow.js shifts a window whose strides are longer than it is.
  Conv3DBackpropInputV2: ([sizes, filter, dy], node) =>
    correctKernels(() =>
      tf.conv3dTranspose(
        dy as tf.Tensor5D,
        filter as tf.Tensor5D,
        numbers(sizes) as [number, number, number, number, number],
        volumetric(read(node, "strides", "ints")),
        padding(node) as "same",
      ),
    ),
  MaxPool3D: ([x], node) =>
    tf.maxPool3d(
      x as tf.Tensor5D,
      volumetric(read(node, "ksize", "ints")),
      volumetric(read(node, "strides", "ints")),
      padding(node) as "same",
    ),
  AvgPool3D: ([x], node) =>
    tf.avgPool3d(
      x as tf.Tensor5D,
      volumetric(read(node, "ksize", "ints")),
      volumetric(read(node, "strides", "ints")),
      padding(node) as "same",
    ),
  MaxPool: ([x], node) =>
    tf.maxPool(
      x as tf.Tensor4D,
      spatial(read(node, "ksize", "ints")),
      spatial(read(node, "strides", "ints")),
      padding(node),
    ),
  AvgPool: ([x], node) =>
    tf.avgPool(
      x as tf.Tensor4D,
      spatial(read(node, "ksize", "ints")),
      spatial(read(node, "strides", "ints")),
      padding(node),
    ),
  ResizeNearestNeighbor: ([x, size], node) =>
    tf.image.resizeNearestNeighbor(
      x as tf.Tensor4D,
      numbers(size) as [number, number],
      read(node, "align_corners", "bool"),
      read(node, "half_pixel_centers", "bool"),
    ),
  ResizeBilinear: ([x, size], node) =>
    tf.image.resizeBilinear(
      x as tf.Tensor4D,
      numbers(size) as [number, number],
      read(node, "align_corners", "bool"),
      read(node, "half_pixel_centers", "bool"),
    ),

  All: reduce(tf.all),
  Any: reduce(tf.any),
  Max: reduce(tf.max),
  Mean: reduce(tf.mean),
  Min: reduce(tf.min),
  Prod: reduce(tf.prod),
  Sum: reduce(tf.sum),
  ArgMax: ([x, axis]) => tf.argMax(x!, number(axis)),
  ArgMin: ([x, axis]) => tf.argMin(x!, number(axis)),

  Shape: ([x]) => tf.tensor1d(x!.shape, "int32"),
  Range: ([start, limit, delta], node) =>
    tf.range(number(start), number(limit), number(delta), node.outputs[0]!.dtype as "int32"),
  Fill: ([sizes, value]) => tf.fill(numbers(sizes), number(value), value!.dtype),
  Reshape: ([x, shape]) => tf.reshape(x!, numbers(shape)),
  Transpose: ([x, perm]) => tf.transpose(x!, numbers(perm)),
  Tile: ([x, reps]) => tf.tile(x!, numbers(reps)),
  PadV2: ([x, paddings, value]) => tf.pad(x!, pairs(paddings), number(value)),
  MirrorPad: ([x, paddings], node) =>
    tf.mirrorPad(x!, pairs(paddings), read(node, "mode", "string").toLowerCase() as "reflect"),
  ReverseV2: ([x, axes]) => tf.reverse(x!, numbers(axes)),
  Slice: ([x, begin, size]) => {
    if (begin!.size !== x!.rank || size!.size !== x!.rank)
      throw new TypeError("Slice needs a begin and a size per axis.");
    return tf.slice(x!, numbers(begin), numbers(size));
  },
  StridedSlice: ([x, begin, end, strides], node) => {
    const mask = (name: string): number => (node.attributes[name] === undefined ? 0 : read(node, name, "int"));
    return tf.stridedSlice(
      x!,
      numbers(begin),
      numbers(end),
      numbers(strides),
      mask("begin_mask"),
      mask("end_mask"),
      mask("ellipsis_mask"),
      mask("new_axis_mask"),
      mask("shrink_axis_mask"),
    );
  },
  ConcatV2: (inputs) => tf.concat(inputs.slice(0, -1), number(inputs.at(-1))),
  Pack: (inputs, node) => tf.stack(inputs, read(node, "axis", "int")),
  Unpack: ([x], node) => tf.unstack(x!, read(node, "axis", "int")),
  Split: ([axis, x], node) => tf.split(x!, node.outputs.length, number(axis)),
  SplitV: ([x, sizes, axis]) => tf.split(x!, numbers(sizes), number(axis)),
  GatherV2: ([x, indices, axis], node) =>
    tf.gather(x!, indices as tf.Tensor1D, number(axis), read(node, "batch_dims", "int")),
  OneHot: ([indices, depth, on, off], node) =>
    tf.oneHot(indices!, number(depth), number(on), number(off), node.outputs[0]!.dtype),
  TopKV2: ([x, k], node) => {
    const { values, indices } = tf.topk(x!, number(k), read(node, "sorted", "bool"));
    return [values, indices];
  },
  Cumsum: ([x, axis], node) =>
    tf.cumsum(x!, number(axis), read(node, "exclusive", "bool"), read(node, "reverse", "bool")),
};

// TensorFlow has one element type for all operands and the result of these; TensorFlow.js would convert.
const homogeneous = new Set([
  "AddN",
  "AddV2",
  "BiasAdd",
  "ConcatV2",
  "FloorDiv",
  "FloorMod",
  "MatMul",
  "Max",
  "Maximum",
  "Mean",
  "Min",
  "Minimum",
  "Mul",
  "Pack",
  "Pow",
  "Prelu",
  "Prod",
  "RealDiv",
  "Relu",
  "Sub",
  "Sum",
]);
const indexed = new Set(["ConcatV2", "Max", "Mean", "Min", "Prod", "Sum"]);

function checkTypes(node: Node, inputs: readonly tf.Tensor[]): void {
  if (!homogeneous.has(node.op)) return;
  const operands = indexed.has(node.op) ? inputs.slice(0, -1) : inputs;
  const dtypes = [...operands.map((operand) => operand.dtype), node.outputs[0]!.dtype];
  if (new Set(dtypes).size > 1) throw new TypeError(`${node.name} (${node.op}) mixes ${dtypes.join(", ")}`);
}

function runScan(inputs: readonly tf.Tensor[], { sequenceCount, stateCount, body }: ScanStep): tf.Tensor[] {
  const slices = inputs.slice(0, sequenceCount).map((sequence) => tf.unstack(sequence, 1));
  const captures = inputs.slice(sequenceCount + stateCount);
  let states: readonly tf.Tensor[] = inputs.slice(sequenceCount, sequenceCount + stateCount);
  const steps = slices[0]!.map((_, step) => {
    const outputs = runGraph(body, [...slices.map((list) => list[step]!), ...states, ...captures]);
    states = outputs.slice(0, stateCount);
    return outputs.slice(stateCount);
  });
  const sequences = steps[0]!.map((_, output) =>
    tf.stack(
      steps.map((list) => list[output]!),
      1,
    ),
  );
  return [...states, ...sequences];
}

/** Runs a graph with TensorFlow.js operations, node by node, and checks each result against what the graph says of it. */
export function runGraph(graph: Graph, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  return tf.tidy(() => {
    const values = new Map<string, tf.Tensor[]>();
    for (const node of graph.nodes) {
      let outputs: tf.Tensor | tf.Tensor[];
      if (node.op === "Placeholder") {
        outputs = inputs[graph.inputs.findIndex((input) => input.node === node.name)]!;
      } else if (node.op === "Const") {
        const { values: data, shape, dtype } = node.constant!;
        outputs = tf.tensor(data.slice(), [...shape], dtype);
      } else {
        const run: Run | undefined =
          node.scan === undefined ? runs[node.op] : (operands) => runScan(operands, node.scan!);
        if (run === undefined) throw new TypeError(`no way to run ${node.op}`);
        const operands = node.inputs.map((input) => values.get(input.node)![input.output]!);
        checkTypes(node, operands);
        outputs = run(operands, node);
      }
      const list = Array.isArray(outputs) ? outputs : [outputs];
      for (const [index, { dtype, shape }] of node.outputs.entries()) {
        const found = list[index]!;
        const fits =
          found.rank === shape.length && shape.every((size, axis) => size === null || size === found.shape[axis]);
        if (!fits || found.dtype !== dtype) {
          throw new TypeError(
            `${node.name} (${node.op}): expected ${dtype} [${shape.join(", ")}], found ${found.dtype} [${found.shape.join(", ")}]`,
          );
        }
      }
      values.set(node.name, list);
    }
    return graph.outputs.map(({ value }) => values.get(value.node)![value.output]!.clone());
  });
}
