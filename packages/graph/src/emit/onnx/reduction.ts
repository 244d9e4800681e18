import type { Node } from "../../ir/graph.js";
import { axisIn, type Layout } from "./layout.js";
import {
  boolAttribute,
  constantInput,
  constantScalar,
  inputAt,
  type OnnxEmitter,
  type OnnxEmitters,
} from "./onnx-emitter.js";
import { type OnnxWriter, UnsupportedReason } from "./onnx-writer.js";

interface ReductionPlan {
  /** The layout to reduce in, and the axes there, ascending. */
  readonly layout: Layout;
  readonly axes: readonly number[];
  /** The layout that the result is then in. */
  readonly outputLayout: Layout;
}

/** Reduces in the layout the input is held in if the remaining axes come out in their own order. */
function planReduction(writer: OnnxWriter, node: Node): ReductionPlan {
  const x = inputAt(node, 0);
  const rank = writer.rank(x);
  const axes = constantInput(writer, node, 1, "axes").map((axis) => axisIn("channelsLast", axis, rank));
  const held = writer.layout(x);
  const remaining = Array.from({ length: rank }, (_, axis) => axis)
    .filter((axis) => !axes.includes(axis))
    .map((axis) => axisIn(held, axis, rank));
  const isKept = boolAttribute(node, "keep_dims");
  const isInOrder = remaining.every((axis, index) => index === 0 || axis > (remaining[index - 1] ?? 0));
  const layout = isKept || isInOrder ? held : "channelsLast";
  return {
    layout,
    axes: axes.map((axis) => axisIn(layout, axis, rank)).toSorted((a, b) => a - b),
    outputLayout: isKept || axes.length === 0 ? layout : "channelsLast",
  };
}

function reduce(writer: OnnxWriter, op: string, x: string, axes: readonly number[], node: Node): string {
  if (axes.length === 0) {
    return writer.write("Identity", [x]);
  }
  const keepdims = { int: boolAttribute(node, "keep_dims") ? 1 : 0 };
  // Of the reductions only the sum takes its axes as an input before opset 18.
  return op === "ReduceSum"
    ? writer.write(op, [x, writer.int64(axes)], { keepdims })
    : writer.write(op, [x], { axes: { ints: axes }, keepdims });
}

function reduction(op: string): OnnxEmitter {
  return (writer, node) => {
    const { layout, axes, outputLayout } = planReduction(writer, node);
    const x = writer.input(inputAt(node, 0), layout);
    writer.define(node, 0, reduce(writer, op, x, axes, node), outputLayout);
  };
}

/** A reduction of booleans, which ONNX has for numbers only. */
function logicalReduction(op: string): OnnxEmitter {
  return (writer, node) => {
    const { layout, axes, outputLayout } = planReduction(writer, node);
    const numbers = writer.cast(writer.input(inputAt(node, 0), layout), "int32");
    writer.define(node, 0, writer.cast(reduce(writer, op, numbers, axes, node), "bool"), outputLayout);
  };
}

/** The index of the extreme value; the first one where several are equal. */
function argument(op: string): OnnxEmitter {
  return (writer, node) => {
    const axis = { int: constantScalar(writer, node, 1, "axis") };
    const index = writer.write(op, [writer.input(inputAt(node, 0))], { axis, keepdims: { int: 0 } });
    writer.define(node, 0, writer.cast(index, "int32"));
  };
}

/** A softmax over the last axis of the graph's layout, wherever that axis is held. */
function softmax(op: string): OnnxEmitter {
  return (writer, node) => {
    const x = inputAt(node, 0);
    const layout = writer.layout(x);
    const axis = { int: axisIn(layout, -1, writer.rank(x)) };
    writer.define(node, 0, writer.write(op, [writer.input(x, layout)], { axis }), layout);
  };
}

/**
 * The products of all elements up to each one, which ONNX has as sums only: a row of them for each position, with 1 for
 * the elements that do not count there, multiplied.
 */
const cumulativeProduct: OnnxEmitter = (writer, node) => {
  const x = inputAt(node, 0);
  const { shape, dtype } = writer.info(x);
  if (dtype !== "float32") {
    throw new UnsupportedReason(`values of dtype ${dtype}`);
  }
  const axis = axisIn("channelsLast", constantScalar(writer, node, 1, "axis"), shape.length);
  const size = shape[axis];
  if (size === null || size === undefined) {
    throw new UnsupportedReason("an axis of a size known only at run time");
  }
  const [isExclusive, isReverse] = [boolAttribute(node, "exclusive"), boolAttribute(node, "reverse")];
  const counts = Uint8Array.from({ length: size * size }, (_, index) => {
    const [position, element] = [Math.floor(index / size), index % size];
    const distance = isReverse ? element - position : position - element;
    return Number(distance > 0 || (distance === 0 && !isExclusive));
  });
  const maskShape = [size, size, ...shape.slice(axis + 1).map(() => 1)];
  const mask = writer.addConstant({ dtype: "bool", shape: maskShape, values: counts }, `${node.name}/counts`);
  const rows = writer.write("Unsqueeze", [writer.input(x), writer.int64([axis])]);
  const factors = writer.write("Where", [mask, rows, writer.scalar(1, "float32")]);
  const output = writer.write("ReduceProd", [factors], { axes: { ints: [axis + 1] }, keepdims: { int: 0 } });
  writer.define(node, 0, output);
};

/** Emitters of operations along axes. */
export const reductionEmitters: OnnxEmitters = {
  Sum: reduction("ReduceSum"),
  Mean: reduction("ReduceMean"),
  Max: reduction("ReduceMax"),
  Min: reduction("ReduceMin"),
  Prod: reduction("ReduceProd"),
  All: logicalReduction("ReduceMin"),
  Any: logicalReduction("ReduceMax"),
  ArgMax: argument("ArgMax"),
  ArgMin: argument("ArgMin"),
  Softmax: softmax("Softmax"),
  LogSoftmax: softmax("LogSoftmax"),
  Cumprod: cumulativeProduct,
  Cumsum: (writer, node) => {
    const axis = writer.scalar(constantScalar(writer, node, 1, "axis"), "int64");
    const output = writer.write("CumSum", [writer.input(inputAt(node, 0)), axis], {
      exclusive: { int: boolAttribute(node, "exclusive") ? 1 : 0 },
      reverse: { int: boolAttribute(node, "reverse") ? 1 : 0 },
    });
    writer.define(node, 0, output);
  },
  TopKV2: (writer, node) => {
    const k = writer.int64([constantScalar(writer, node, 1, "k")]);
    const [values = "", indices = ""] = writer.writeMany(
      "TopK",
      [writer.input(inputAt(node, 0)), k],
      { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } },
      2,
    );
    writer.define(node, 0, values);
    writer.define(node, 1, writer.cast(indices, "int32"));
  },
};
