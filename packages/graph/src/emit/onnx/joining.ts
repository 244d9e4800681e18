import type { Node, ValueRef } from "../../ir/graph.js";
import { axisIn, type Layout } from "./layout.js";
import {
  constantInput,
  constantScalar,
  inputAt,
  int64Input,
  intAttribute,
  type OnnxEmitter,
  type OnnxEmitters,
} from "./onnx-emitter.js";
import { type OnnxWriter, UnsupportedReason } from "./onnx-writer.js";

const concat: OnnxEmitter = (writer, node) => {
  const values = node.inputs.slice(0, -1);
  const isHeldFirst = values.some((value) => writer.layout(value) === "channelsFirst");
  const layout: Layout = isHeldFirst ? "channelsFirst" : "channelsLast";
  const axis = axisIn(layout, constantScalar(writer, node, -1, "axis"), node.outputs[0]?.shape.length ?? 0);
  const inputs = values.map((value) => writer.input(value, layout));
  writer.define(node, 0, writer.write("Concat", inputs, { axis: { int: axis } }), layout);
};

const pack: OnnxEmitter = (writer, node) => {
  const axis = intAttribute(node, "axis", 0);
  const axes = writer.int64([axis]);
  const inputs = node.inputs.map((value) => writer.write("Unsqueeze", [writer.input(value), axes]));
  writer.define(node, 0, writer.write("Concat", inputs, { axis: { int: axis } }));
};

/** The parts of a value cut along an axis. */
function split(writer: OnnxWriter, node: Node, x: string, axis: number, sizes: readonly number[]): readonly string[] {
  return writer.writeMany("Split", [x, writer.int64(sizes)], { axis: { int: axis } }, node.outputs.length);
}

/** The sizes of the outputs along an axis, which have to be known. */
function outputSizes(node: Node, axis: number): number[] {
  return node.outputs.map(({ shape }) => {
    const size = shape.at(axis);
    if (size === null || size === undefined) {
      throw new UnsupportedReason("parts of a size known only at run time");
    }
    return size;
  });
}

const gather: OnnxEmitter = (writer, node) => {
  const [params, indices] = [writer.input(inputAt(node, 0)), writer.input(inputAt(node, 1))];
  const rank = writer.rank(inputAt(node, 0));
  const axis = axisIn("channelsLast", node.inputs.length > 2 ? constantScalar(writer, node, 2, "axis") : 0, rank);
  const batchDims = intAttribute(node, "batch_dims", 0);
  if (batchDims === 0) {
    writer.define(node, 0, writer.write("Gather", [params, indices], { axis: { int: axis } }));
    return;
  }
  if (batchDims !== axis) {
    throw new UnsupportedReason(`axis ${axis} with ${batchDims} batch dimension(s)`);
  }
  const tuples = writer.write("Unsqueeze", [writer.cast(indices, "int64"), writer.int64([-1])]);
  writer.define(node, 0, writer.write("GatherND", [params, tuples], { batch_dims: { int: batchDims } }));
};

function zero(writer: OnnxWriter, value: ValueRef): string {
  const { dtype } = writer.info(value);
  if (dtype !== "float32" && dtype !== "int32") {
    throw new UnsupportedReason(`updates of dtype ${dtype}`);
  }
  return writer.scalar(0, dtype);
}

/** Emitters of operations that join, part and pick. */
export const joiningEmitters: OnnxEmitters = {
  ConcatV2: concat,
  Pack: pack,
  Unpack: (writer, node) => {
    const x = inputAt(node, 0);
    const axis = axisIn("channelsLast", intAttribute(node, "axis", 0), writer.rank(x));
    const ones = node.outputs.map(() => 1);
    for (const [output, part] of split(writer, node, writer.input(x), axis, ones).entries()) {
      writer.define(node, output, writer.write("Squeeze", [part, writer.int64([axis])]));
    }
  },
  Split: (writer, node) => {
    const x = inputAt(node, 1);
    const axis = axisIn("channelsLast", constantScalar(writer, node, 0, "axis"), writer.rank(x));
    for (const [output, part] of split(writer, node, writer.input(x), axis, outputSizes(node, axis)).entries()) {
      writer.define(node, output, part);
    }
  },
  SplitV: (writer, node) => {
    const x = inputAt(node, 0);
    const axis = axisIn("channelsLast", constantScalar(writer, node, 2, "axis"), writer.rank(x));
    for (const [output, part] of split(writer, node, writer.input(x), axis, outputSizes(node, axis)).entries()) {
      writer.define(node, output, part);
    }
  },
  GatherV2: gather,
  GatherNd: (writer, node) => {
    const indices = writer.cast(writer.input(inputAt(node, 1)), "int64");
    writer.define(node, 0, writer.write("GatherND", [writer.input(inputAt(node, 0)), indices]));
  },
  ScatterNd: (writer, node) => {
    const [indices, updates] = [inputAt(node, 0), inputAt(node, 1)];
    const zeros = writer.write("Expand", [zero(writer, updates), int64Input(writer, node, 2)]);
    const inputs = [zeros, writer.cast(writer.input(indices), "int64"), writer.input(updates)];
    writer.define(node, 0, writer.write("ScatterND", inputs, { reduction: { string: "add" } }));
  },
  TensorScatterUpdate: (writer, node) => {
    const indices = writer.cast(writer.input(inputAt(node, 1)), "int64");
    const inputs = [writer.input(inputAt(node, 0)), indices, writer.input(inputAt(node, 2))];
    writer.define(node, 0, writer.write("ScatterND", inputs));
  },
  ReverseV2: (writer, node) => {
    const axes = constantInput(writer, node, 1, "axes");
    const ends = axes.map(() => -(2n ** 63n));
    const starts = axes.map(() => -1);
    const inputs = [starts, ends, axes, starts].map((values) => writer.int64(values));
    writer.define(node, 0, writer.write("Slice", [writer.input(inputAt(node, 0)), ...inputs]));
  },
};
