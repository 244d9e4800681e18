/** What an input of a `NodeDef` refers to: an output of another node, or that node having run. */
export interface NodeInput {
  readonly node: string;
  /** Index among the node's outputs; 0 for a control input. */
  readonly output: number;
  readonly isControl: boolean;
}

/**
 * Parses `node`, `node:output` and `^node`.
 * Reference: comment on `NodeDef.input` in tensorflow/core/framework/node_def.proto.
 */
export function parseNodeInput(text: string): NodeInput {
  if (text.startsWith("^")) return { node: text.slice(1), output: 0, isControl: true };
  const [, node = text, output = "0"] = /^(.*):(\d+)$/.exec(text) ?? [];
  return { node, output: Number(output), isControl: false };
}

/** The reverse of {@link parseNodeInput}. */
export function serializeNodeInput({ node, output, isControl }: NodeInput): string {
  if (isControl) return `^${node}`;
  return output === 0 ? node : `${node}:${output}`;
}
