import { attribute } from "../../ir/attribute.js";
import type { Attribute } from "../../ir/graph.js";

/** Where a type attribute takes its value from: the element type of an input or of an output, by index. */
export type TypeSource = { readonly input: number } | { readonly output: number };

/** How an attribute of the IR is written. */
export interface AttributeSchema {
  readonly kind: Attribute["kind"];
  /** The value TensorFlow takes where the attribute is missing; without one, it has to be there. */
  readonly fallback?: Attribute;
  /** Younger than TensorFlow 1.15, so left out where it is the fallback: a runtime refuses a name it does not know. */
  readonly isRecent?: boolean;
}

/** What a NodeDef needs besides its name and inputs. Reference: the op registrations of tensorflow/core/ops. */
export interface OpSchema {
  readonly types?: Readonly<Record<string, TypeSource>>;
  /** Attributes that count the inputs (all but the last for `inputsButOne`) or the outputs. */
  readonly counts?: Readonly<Record<string, "inputs" | "inputsButOne" | "outputs">>;
  readonly attributes?: Readonly<Record<string, AttributeSchema>>;
}

const first: TypeSource = { input: 0 };
const second: TypeSource = { input: 1 };
const third: TypeSource = { input: 2 };
const result: TypeSource = { output: 0 };

const flag: AttributeSchema = optional(attribute.bool(false));
const zero: AttributeSchema = optional(attribute.int(0));

function optional(fallback: Attribute): AttributeSchema {
  return { kind: fallback.kind, fallback };
}

/** The same schema for each of several operations. */
function family(schema: OpSchema, ops: readonly string[]): Record<string, OpSchema> {
  return Object.fromEntries(ops.map((op) => [op, schema]));
}

function window(rank: 4 | 5): Record<string, AttributeSchema> {
  return {
    strides: { kind: "ints" },
    padding: { kind: "string" },
    data_format: optional(attribute.string(rank === 4 ? "NHWC" : "NDHWC")),
  };
}

function convolution(rank: 4 | 5): Record<string, AttributeSchema> {
  return { ...window(rank), dilations: optional(attribute.ints(Array.from({ length: rank }, () => 1))) };
}

const explicitPaddings: AttributeSchema = { ...optional(attribute.ints([])), isRecent: true };
const convolution2d = { ...convolution(4), explicit_paddings: explicitPaddings };
const resize = { align_corners: flag, half_pixel_centers: { ...flag, isRecent: true } };
const cumulative = { exclusive: flag, reverse: flag };

/** Every operation that a GraphDef may hold, by name. `Const` and `Placeholder` are written apart. */
export const opSchemas: Readonly<Record<string, OpSchema>> = {
  ...family({ types: { T: first } }, [
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Ceil",
    "Cos",
    "Cosh",
    "Elu",
    "Erf",
    "Exp",
    "Expm1",
    "Floor",
    "Identity",
    "IsFinite",
    "IsInf",
    "IsNan",
    "Log",
    "Log1p",
    "LogSoftmax",
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
    "Sinh",
    "Softmax",
    "Softplus",
    "Sqrt",
    "Square",
    "Tan",
    "Tanh",
    "ZerosLike",
    "AddV2",
    "Atan2",
    "FloorDiv",
    "FloorMod",
    "Maximum",
    "Minimum",
    "Mul",
    "Pow",
    "RealDiv",
    "SquaredDifference",
    "Sub",
    "Equal",
    "NotEqual",
    "Greater",
    "GreaterEqual",
    "Less",
    "LessEqual",
    "BiasAdd",
    "ClipByValue",
  ]),
  ...family({}, ["LogicalAnd", "LogicalNot", "LogicalOr"]),
  LeakyRelu: { types: { T: first }, attributes: { alpha: optional(attribute.float(0.2)) } },
  AddN: { types: { T: first }, counts: { N: "inputs" } },
  SelectV2: { types: { T: second } },
  Cast: { types: { SrcT: first, DstT: result } },

  MatMul: { types: { T: first }, attributes: { transpose_a: flag, transpose_b: flag } },
  BatchMatMulV2: { types: { T: first }, attributes: { adj_x: flag, adj_y: flag } },
  Einsum: { types: { T: first }, counts: { N: "inputs" }, attributes: { equation: { kind: "string" } } },

  ...family({ types: { T: first }, attributes: convolution2d }, ["Conv2D", "DepthwiseConv2dNative"]),
  Conv2DBackpropInput: { types: { T: second }, attributes: convolution2d },
  Conv3D: { types: { T: first }, attributes: convolution(5) },
  Conv3DBackpropInputV2: { types: { T: second, Tshape: first }, attributes: convolution(5) },
  ...family({ types: { T: first }, attributes: { ksize: { kind: "ints" }, ...window(4) } }, ["AvgPool", "MaxPool"]),
  ...family({ types: { T: first }, attributes: { ksize: { kind: "ints" }, ...window(5) } }, ["AvgPool3D", "MaxPool3D"]),
  Dilation2D: {
    types: { T: first },
    attributes: { strides: { kind: "ints" }, rates: { kind: "ints" }, padding: { kind: "string" } },
  },
  MaxPoolWithArgmax: {
    types: { T: first, Targmax: { output: 1 } },
    attributes: {
      ksize: { kind: "ints" },
      strides: { kind: "ints" },
      padding: { kind: "string" },
      include_batch_in_index: { ...flag, isRecent: true },
    },
  },
  LRN: {
    types: { T: first },
    attributes: {
      depth_radius: optional(attribute.int(5)),
      bias: optional(attribute.float(1)),
      alpha: optional(attribute.float(1)),
      beta: optional(attribute.float(0.5)),
    },
  },
  CropAndResize: {
    types: { T: first },
    attributes: {
      method: optional(attribute.string("bilinear")),
      extrapolation_value: optional(attribute.float(0)),
    },
  },
  ...family({ types: { T: first }, attributes: resize }, ["ResizeBilinear", "ResizeNearestNeighbor"]),

  ...family({ types: { T: first, Tidx: second }, attributes: { keep_dims: flag } }, [
    "Max",
    "Mean",
    "Min",
    "Prod",
    "Sum",
  ]),
  ...family({ types: { Tidx: second }, attributes: { keep_dims: flag } }, ["All", "Any"]),
  ...family({ types: { T: first, Tidx: second, output_type: result } }, ["ArgMax", "ArgMin"]),
  ...family({ types: { T: first, Tidx: second }, attributes: cumulative }, ["Cumprod", "Cumsum"]),
  TopKV2: { types: { T: first }, attributes: { sorted: optional(attribute.bool(true)) } },

  Reshape: { types: { T: first, Tshape: second } },
  Transpose: { types: { T: first, Tperm: second } },
  ExpandDims: { types: { T: first, Tdim: second } },
  Squeeze: { types: { T: first }, attributes: { squeeze_dims: optional(attribute.ints([])) } },
  BroadcastTo: { types: { T: first, Tidx: second } },
  Tile: { types: { T: first, Tmultiples: second } },
  PadV2: { types: { T: first, Tpaddings: second } },
  MirrorPad: { types: { T: first, Tpaddings: second }, attributes: { mode: { kind: "string" } } },
  ReverseV2: { types: { T: first, Tidx: second } },
  Slice: { types: { T: first, Index: second } },
  StridedSlice: {
    types: { T: first, Index: second },
    attributes: {
      begin_mask: zero,
      end_mask: zero,
      ellipsis_mask: zero,
      new_axis_mask: zero,
      shrink_axis_mask: zero,
    },
  },
  ConcatV2: { types: { T: first, Tidx: { input: -1 } }, counts: { N: "inputsButOne" } },
  Pack: { types: { T: first }, counts: { N: "inputs" }, attributes: { axis: zero } },
  Unpack: { types: { T: first }, counts: { num: "outputs" }, attributes: { axis: zero } },
  Split: { types: { T: second }, counts: { num_split: "outputs" } },
  SplitV: { types: { T: first, Tlen: second }, counts: { num_split: "outputs" } },
  GatherV2: {
    types: { Tparams: first, Tindices: second, Taxis: third },
    attributes: { batch_dims: { ...zero, isRecent: true } },
  },
  GatherNd: { types: { Tparams: first, Tindices: second } },
  TensorScatterUpdate: { types: { T: first, Tindices: second } },
  ScatterNd: { types: { T: second, Tindices: first } },

  Fill: { types: { T: second, index_type: first } },
  OneHot: { types: { T: third, TI: first }, attributes: { axis: optional(attribute.int(-1)) } },
  Range: { types: { Tidx: first } },
  Shape: { types: { T: first, out_type: result } },
};

/** Operations of the IR that a GraphDef holds as several others. */
export const composedOps: ReadonlySet<string> = new Set(["Prelu", "Scan"]);
