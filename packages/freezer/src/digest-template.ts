import type { GraphTemplate, WeightData } from "@ckpt/graph";
import { digestBytes, serializeCanonicalJson } from "@ckpt/manifest";

/** SHA-256 over what a template computes, whatever its weights are. */
export function digestTemplate({ signature, graph, weights }: GraphTemplate): string {
  const nodes = graph.nodes.map(({ constant, ...node }) => ({
    ...node,
    constant:
      constant === undefined
        ? null
        : constant.weight === undefined
          ? digestValues(constant)
          : { weight: constant.weight },
  }));
  return digestBytes(
    serializeCanonicalJson({ signature, inputs: graph.inputs, outputs: graph.outputs, nodes, weights }),
  );
}

/** SHA-256 over a template and the weights bound to it: the identity of a model in memory. */
export function digestBound(
  template: GraphTemplate,
  topologyDigest: string,
  weights: ReadonlyMap<string, WeightData>,
): string {
  const lines = template.weights.map(({ key }) => {
    const data = weights.get(key);
    return data === undefined ? "" : digestValues(data);
  });
  return digestBytes([topologyDigest, ...lines].map((line) => `${line}\n`).join(""));
}

function digestValues({ dtype, shape, values }: WeightData): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return `${dtype} ${shape.join(",")} ${digestBytes(bytes)}`;
}
