import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { outputOf } from "../ir/graph-index.js";
import type { Graph, Node } from "../ir/graph.js";
import { appendConstant } from "./append-constant.js";
import { readChannels } from "./channel-constant.js";

const unary = new Set(["Elu", "Relu", "Relu6", "Selu", "Sigmoid", "Softplus", "Tanh"]);
const perChannel = new Set(["AddV2", "BiasAdd", "Mul", "Sub"]);

// The node as it is when applied to the source of the reshape before it, if that is the same computation.
function applyBeforeReshape(node: Node, reshape: Node, editor: GraphEditor): Node | undefined {
  const [source] = reshape.inputs;
  const before = source === undefined ? undefined : editor.find(source.node)?.outputs[source.output];
  const after = reshape.outputs[0];
  if (source === undefined || before === undefined || after === undefined) return undefined;
  if (unary.has(node.op)) return { ...node, inputs: [source], outputs: [before] };
  if (!perChannel.has(node.op) || before.shape.length < (node.op === "BiasAdd" ? 2 : 1)) return undefined;

  const channels = after.shape.at(-1);
  const values = readChannels(editor.findConstant(node.inputs[1]), after.shape);
  if (values === undefined || channels === null || before.shape.at(-1) !== channels) return undefined;
  const [, operand] = node.inputs;
  if (operand !== undefined && (editor.findConstant(operand)?.shape.length ?? 2) <= 1) {
    return { ...node, inputs: [source, operand], outputs: [before] };
  }
  const constant = appendConstant(editor, `${node.name}/channels`, node.layer, {
    dtype: "float32",
    shape: [values.length],
    values,
  });
  return { ...node, inputs: [source, constant], outputs: [before] };
}

/**
 * Moves a `Reshape` that keeps the last axis behind activations and sums and products per channel, so that these stand
 * next to the matrix product or convolution they belong to. TensorFlow.js wraps both dense layers and batch
 * normalization in reshapes.
 */
export function sinkReshapes(graph: Graph): Graph {
  return rewriteGraph(graph, (node, editor) => {
    const [input] = node.inputs;
    const reshape = input === undefined ? undefined : editor.find(input.node);
    const shape = reshape?.inputs[1];
    const moved = reshape?.op === "Reshape" ? applyBeforeReshape(node, reshape, editor) : undefined;
    if (moved === undefined || shape === undefined) {
      editor.append(node);
      return;
    }
    editor.append(moved);
    const sunk = editor.appendNew({
      name: `${node.name}/Reshape`,
      op: "Reshape",
      inputs: [outputOf(moved), shape],
      attributes: {},
      outputs: node.outputs,
      layer: node.layer,
    });
    editor.replace(outputOf(node), outputOf(sunk));
  });
}
