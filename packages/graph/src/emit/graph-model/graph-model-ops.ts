import { loopOps } from "../graph-def/emit-loop.js";
import { opSchemas } from "../graph-def/op-schemas.js";

/** Operations of a GraphDef that TensorFlow.js 4.22 has no executor for. */
const unknownToGraphModel: ReadonlySet<string> = new Set(["Conv3DBackpropInputV2"]);

/** Operations of the IR that are written as others in a GraphModel, and as which. */
export const rewrittenForGraphModel: Readonly<Record<string, string>> = {
  Conv3DBackpropInputV2: "as `Conv3D` of the argument with zeros between its elements",
  MaxPool3D: "as `MaxPool` over height and width, then over depth",
  Prelu: "as `Relu`, `Neg`, `Mul` and `Sub`",
};

/** Operations that only TensorFlow.js has. */
const graphModelOnly: ReadonlySet<string> = new Set(["_FusedMatMul", "_FusedConv2D", "FusedDepthwiseConv2dNative"]);

const pools: ReadonlySet<string> = new Set(["AvgPool", "MaxPool", "AvgPool3D", "MaxPool3D"]);

/**
 * Why TensorFlow.js 4.22 cannot execute an operation in a GraphModel; `undefined` where it can.
 * Reference: the op lists of @tensorflow/tfjs-converter.
 */
export function findGraphModelOpReason(op: string, padding: string): string | undefined {
  const isKnown =
    op === "Const" ||
    op === "Placeholder" ||
    graphModelOnly.has(op) ||
    loopOps.has(op) ||
    (Object.hasOwn(opSchemas, op) && !unknownToGraphModel.has(op));
  if (!isKnown) {
    return "no such operation in TensorFlow.js' GraphModel";
  }
  return pools.has(op) && padding === "EXPLICIT" ? "explicit padding of a pooling is not executed" : undefined;
}
