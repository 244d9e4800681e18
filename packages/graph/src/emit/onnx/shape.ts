import type { Node } from "../../ir/graph.js";
import { axesIn, inLayout, type Layout } from "./layout.js";
import {
  constantInput,
  constantScalar,
  inputAt,
  int64Input,
  intAttribute,
  intsAttribute,
  type OnnxEmitter,
  type OnnxEmitters,
  stringAttribute,
} from "./onnx-emitter.js";
import { type OnnxWriter, UnsupportedReason } from "./onnx-writer.js";
import { planReshape } from "./plan-reshape.js";

/** An operation whose second input holds sizes. */
function sized(op: string): OnnxEmitter {
  return (writer, node) => {
    const x = inputAt(node, 0);
    const sizes = writer.constant(inputAt(node, 1))?.values;
    // Numbers for each axis can be put in the order of the axes, where both have as many.
    const layout = sizes?.length === writer.rank(x) ? writer.layout(x) : "channelsLast";
    const ordered =
      sizes === undefined ? int64Input(writer, node, 1) : writer.int64(inLayout(layout, Array.from(sizes)));
    writer.define(node, 0, writer.write(op, [writer.input(x, layout), ordered]), layout);
  };
}

const reshape: OnnxEmitter = (writer, node) => {
  const sizes = writer.constant(inputAt(node, 1))?.values;
  // A zero is a size for TensorFlow, while ONNX copies the input's size unless told otherwise.
  const attributes = sizes?.includes(0) === true ? { allowzero: { int: 1 } } : {};
  const x = inputAt(node, 0);
  const from = writer.info(x).shape;
  const to = node.outputs[0]?.shape ?? [];
  const held = writer.layout(x);
  for (const layout of preferredLayouts(held, to.length)) {
    const planned = planReshape(from, held, to, layout);
    if (planned !== undefined) {
      writer.define(node, 0, writer.write("Reshape", [writer.input(x, held), writer.int64(planned)]), layout);
      return;
    }
  }
  writer.define(node, 0, writer.write("Reshape", [writer.input(x), int64Input(writer, node, 1)], attributes));
};

// What has four axes or more is an image, most likely, and will meet one that is held with channels first.
function preferredLayouts(held: Layout, rank: number): readonly Layout[] {
  return rank > 3 || (rank === 3 && held === "channelsFirst") ? ["channelsFirst", "channelsLast"] : ["channelsLast"];
}

/** Nothing is written where the value is held in the order that the result has in one of the layouts. */
const transpose: OnnxEmitter = (writer, node) => {
  const x = inputAt(node, 0);
  const permutation = constantInput(writer, node, 1, "permutation");
  const { name, layout: held } = writer.held(x);
  const source = axesIn(held, permutation.length);
  for (const layout of ["channelsLast", "channelsFirst"] as const) {
    const order = axesIn(layout, permutation.length).map((axis) => source.indexOf(permutation[axis] ?? 0));
    if (order.every((axis, index) => axis === index)) {
      writer.define(node, 0, name, layout);
      return;
    }
  }
  const perm = { ints: permutation.map((axis) => source.indexOf(axis)) };
  writer.define(node, 0, writer.write("Transpose", [name], { perm }));
};

/** The paddings `[rank, 2]` of a node as ONNX takes them: all of before, then all of after. */
function paddings(writer: OnnxWriter, node: Node, layout: Layout): string {
  const flat = constantInput(writer, node, 1, "paddings");
  const before = flat.filter((_, index) => index % 2 === 0);
  const after = flat.filter((_, index) => index % 2 === 1);
  return writer.int64([...inLayout(layout, before), ...inLayout(layout, after)]);
}

const pad: OnnxEmitter = (writer, node) => {
  const x = inputAt(node, 0);
  const layout = writer.layout(x);
  const inputs = [writer.input(x, layout), paddings(writer, node, layout), writer.input(inputAt(node, 2))];
  writer.define(node, 0, writer.write("Pad", inputs), layout);
};

/** Mirroring with the edge repeated has no mode of its own in ONNX: the mirrored indices are gathered. */
const mirrorPad: OnnxEmitter = (writer, node) => {
  const x = inputAt(node, 0);
  const layout = writer.layout(x);
  if (stringAttribute(node, "mode", "REFLECT") === "REFLECT") {
    const inputs = [writer.input(x, layout), paddings(writer, node, layout)];
    writer.define(node, 0, writer.write("Pad", inputs, { mode: { string: "reflect" } }), layout);
    return;
  }
  const flat = constantInput(writer, node, 1, "paddings");
  let output = writer.input(x);
  for (const [axis, size] of writer.info(x).shape.entries()) {
    const [before, after] = [flat[2 * axis] ?? 0, flat[2 * axis + 1] ?? 0];
    if (before === 0 && after === 0) {
      continue;
    }
    if (size === null) {
      throw new UnsupportedReason("mirror padding of a size known only at run time");
    }
    const indices = Array.from({ length: before + size + after }, (_, position) => {
      const index = position - before;
      return index < 0 ? -index - 1 : index < size ? index : 2 * size - index - 1;
    });
    output = writer.write("Gather", [output, writer.int64(indices)], { axis: { int: axis } });
  }
  writer.define(node, 0, output);
};

/** One hot by comparison, since ONNX's OneHot counts negative indices from the end where TensorFlow gives no hot one. */
const oneHot: OnnxEmitter = (writer, node) => {
  const indices = inputAt(node, 0);
  const rank = writer.rank(indices);
  const depth = constantScalar(writer, node, 1, "depth");
  const axis = intAttribute(node, "axis", -1);
  const position = axis < 0 ? rank : axis;
  const shape = [depth, ...Array.from({ length: rank - position }, () => 1)];
  const classes = writer.addConstant(
    { dtype: "int32", shape, values: Int32Array.from({ length: depth }, (_, index) => index) },
    `${node.name}/classes`,
  );
  const expanded = writer.write("Unsqueeze", [writer.input(indices), writer.int64([position])]);
  const isHot = writer.write("Equal", [expanded, classes]);
  const output = writer.write("Where", [isHot, writer.input(inputAt(node, 2)), writer.input(inputAt(node, 3))]);
  writer.define(node, 0, output);
};

/** A value repeated to a shape; booleans by way of int32, which every runtime expands. */
const fill: OnnxEmitter = (writer, node) => {
  const value = inputAt(node, 1);
  const isBool = writer.info(value).dtype === "bool";
  const scalar = isBool ? writer.cast(writer.input(value), "int32") : writer.input(value);
  const filled = writer.write("Expand", [scalar, int64Input(writer, node, 0)]);
  writer.define(node, 0, isBool ? writer.cast(filled, "bool") : filled);
};

/**
 * Resizing of the spatial axes. TensorFlow's three rules for where a result comes from have ONNX counterparts.
 * Reference: ONNX operator Resize, version 13.
 */
function resize(mode: "nearest" | "linear"): OnnxEmitter {
  return (writer, node) => {
    const x = writer.input(inputAt(node, 0), "channelsFirst");
    const isAligned = node.attributes["align_corners"]?.value === true;
    const isHalfPixel = node.attributes["half_pixel_centers"]?.value === true;
    const leading = writer.write("Slice", [writer.write("Shape", [x]), writer.int64([0]), writer.int64([2])]);
    const sizes = writer.write("Concat", [leading, int64Input(writer, node, 1)], { axis: { int: 0 } });
    const rule = isAligned ? "align_corners" : isHalfPixel ? "half_pixel" : "asymmetric";
    const output = writer.write("Resize", [x, "", "", sizes], {
      mode: { string: mode },
      coordinate_transformation_mode: { string: rule },
      ...(mode === "nearest"
        ? { nearest_mode: { string: rule === "asymmetric" ? "floor" : "round_prefer_ceil" } }
        : {}),
    });
    writer.define(node, 0, output, "channelsFirst");
  };
}

/** Emitters of operations that make or change shapes. */
export const shapeEmitters: OnnxEmitters = {
  Reshape: reshape,
  Tile: sized("Tile"),
  BroadcastTo: sized("Expand"),
  Transpose: transpose,
  ExpandDims: (writer, node) => {
    const axes = writer.int64(constantInput(writer, node, 1, "axis"));
    writer.define(node, 0, writer.write("Unsqueeze", [writer.input(inputAt(node, 0)), axes]));
  },
  Squeeze: (writer, node) => {
    const axes = intsAttribute(node, "squeeze_dims", []);
    const inputs = axes.length === 0 ? [] : [writer.int64(axes)];
    writer.define(node, 0, writer.write("Squeeze", [writer.input(inputAt(node, 0)), ...inputs]));
  },
  PadV2: pad,
  MirrorPad: mirrorPad,
  Shape: (writer, node) => {
    writer.define(node, 0, writer.cast(writer.write("Shape", [writer.input(inputAt(node, 0))]), "int32"));
  },
  Range: (writer, node) => {
    writer.define(
      node,
      0,
      writer.write(
        "Range",
        node.inputs.map((input) => writer.input(input)),
      ),
    );
  },
  Fill: fill,
  OneHot: oneHot,
  ResizeBilinear: resize("linear"),
  ResizeNearestNeighbor: resize("nearest"),
};
