import { type GraphEditor, rewriteGraph } from "../ir/graph-editor.js";
import { countUses, indexNodes, outputOf } from "../ir/graph-index.js";
import type { Constant, Graph, Node, TensorValues, ValueRef } from "../ir/graph.js";
import { readChannels } from "./channel-constant.js";

/** What follows a product, as `scale * product + shift` for each channel. */
interface AffineChain {
  /** The convolution or matrix product. */
  readonly product: Node;
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  /** The product and the nodes after it, in order. */
  readonly members: readonly string[];
  /** Whether there is more to it than one `BiasAdd`. */
  readonly isFoldable: boolean;
}

/** How the elements of a kernel belong to output channels: `run` neighbours to one, then the next, of `count`. */
interface ChannelOrder {
  readonly run: number;
  readonly count: number;
}

function channelOrder(product: Node, kernel: Constant): ChannelOrder | undefined {
  const last = kernel.shape.at(-1) ?? 1;
  if (product.op === "Conv2D") return { run: 1, count: last };
  // Kernel [height, width, channels, multiplier]: the output channel is channel * multiplier + step.
  if (product.op === "DepthwiseConv2dNative") return { run: 1, count: last * (kernel.shape.at(-2) ?? 1) };
  if (product.op !== "MatMul") return undefined;
  const transposed = product.attributes["transpose_b"];
  return transposed?.kind === "bool" && transposed.value
    ? { run: last, count: kernel.shape.at(-2) ?? 1 }
    : { run: 1, count: last };
}

function scaleChannels(values: TensorValues, { run, count }: ChannelOrder, scale: Float64Array): Float32Array {
  const scaled = new Float32Array(values.length);
  for (let start = 0, channel = 0; start < values.length; start += run, channel = (channel + 1) % count) {
    const factor = scale[channel] ?? Number.NaN;
    for (let index = start; index < start + run; index++) scaled[index] = (values[index] ?? Number.NaN) * factor;
  }
  return scaled;
}

function startChain(product: Node, nodes: ReadonlyMap<string, Node>): AffineChain | undefined {
  const channels = product.outputs[0]?.shape.at(-1);
  const kernel = product.inputs[1] === undefined ? undefined : nodes.get(product.inputs[1].node)?.constant;
  if (kernel?.dtype !== "float32" || channelOrder(product, kernel) === undefined) return undefined;
  if (channels === undefined || channels === null) return undefined;
  return {
    product,
    scale: new Float64Array(channels).fill(1),
    shift: new Float64Array(channels),
    members: [product.name],
    isFoldable: false,
  };
}

// The chain with one more node, or undefined if the node is not a sum or product with a constant per channel.
function extendChain(
  chain: AffineChain,
  node: Node,
  first: boolean,
  constant: Constant | undefined,
): AffineChain | undefined {
  const values = readChannels(constant, node.outputs[0]?.shape);
  if (values === undefined || node.outputs[0]?.shape.length !== chain.product.outputs[0]?.shape.length)
    return undefined;
  const value = (channel: number): number => values[channel] ?? Number.NaN;
  const members = [...chain.members, node.name];
  if (node.op === "Mul") {
    return {
      ...chain,
      members,
      scale: chain.scale.map((scale, channel) => scale * value(channel)),
      shift: chain.shift.map((shift, channel) => shift * value(channel)),
      isFoldable: true,
    };
  }
  const sign = node.op === "Sub" ? -1 : 1;
  if (node.op !== "AddV2" && node.op !== "BiasAdd" && node.op !== "Sub") return undefined;
  return {
    ...chain,
    members,
    shift: chain.shift.map((shift, channel) => shift + sign * value(channel)),
    isFoldable: chain.isFoldable || !first || node.op !== "BiasAdd",
  };
}

function appendConstant(editor: GraphEditor, name: string, layer: string, constant: Constant): ValueRef {
  const { dtype, shape } = constant;
  return outputOf(
    editor.appendNew({ name, op: "Const", inputs: [], attributes: {}, outputs: [{ dtype, shape }], layer, constant }),
  );
}

function appendFolded(editor: GraphEditor, end: Node, { product, scale, shift }: AffineChain): void {
  const input = product.inputs[0];
  const kernelRef = product.inputs[1];
  const kernel = editor.findConstant(kernelRef);
  const order = kernel === undefined ? undefined : channelOrder(product, kernel);
  if (input === undefined || kernelRef === undefined || kernel === undefined || order === undefined) {
    throw new TypeError(`${product.name} lost its kernel.`);
  }
  // The kernel may serve another product too, so it is copied, not changed.
  const isScaled = scale.some((factor) => factor !== 1);
  const folded = isScaled
    ? appendConstant(editor, `${product.name}/kernel`, product.layer, {
        dtype: "float32",
        shape: kernel.shape,
        values: scaleChannels(kernel.values, order, scale),
      })
    : kernelRef;
  const bias = appendConstant(editor, `${product.name}/bias`, product.layer, {
    dtype: "float32",
    shape: [shift.length],
    values: Float32Array.from(shift),
  });
  const scaled = editor.append({ ...product, inputs: [input, folded] });
  editor.append({ ...end, op: "BiasAdd", inputs: [outputOf(scaled), bias], attributes: {} });
}

/**
 * Folds batch normalization, and any other product and sum with constants per channel, into the kernel and the bias of
 * the `Conv2D`, `DepthwiseConv2dNative` or `MatMul` before it. Only where nothing else uses a value in between, and
 * never past another operation, an activation say.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const uses = countUses(graph);
  const nodes = indexNodes(graph.nodes);
  const chains = new Map<string, AffineChain>();
  const ends = new Set<string>();
  for (const node of graph.nodes) {
    const started = startChain(node, nodes);
    if (started !== undefined) {
      chains.set(node.name, started);
      continue;
    }
    // Constants stand on the right; a product or sum is the same the other way round.
    const [a, b] = node.inputs;
    const operands =
      node.op === "Mul" || node.op === "AddV2"
        ? [
            [a, b],
            [b, a],
          ]
        : [[a, b]];
    for (const [value, constant] of operands) {
      const chain = value === undefined ? undefined : chains.get(value.node);
      if (value === undefined || constant === undefined || chain === undefined || uses.get(value.node) !== 1) continue;
      const extended = extendChain(chain, node, value.node === chain.product.name, nodes.get(constant.node)?.constant);
      if (extended === undefined) continue;
      chains.set(node.name, extended);
      ends.delete(value.node);
      if (extended.isFoldable) ends.add(node.name);
      break;
    }
  }

  const absorbed = new Set([...ends].flatMap((end) => chains.get(end)?.members.slice(0, -1) ?? []));
  return rewriteGraph(graph, (node, editor) => {
    if (absorbed.has(node.name)) return;
    const chain = ends.has(node.name) ? chains.get(node.name) : undefined;
    if (chain === undefined) {
      editor.append(node);
      return;
    }
    const { product } = chain;
    appendFolded(editor, node, { ...chain, product: { ...product, inputs: product.inputs.map(editor.resolve) } });
  });
}
