import { CkptError } from "@ckpt/manifest";

/** A node that a format cannot express. */
export interface UnsupportedNode {
  readonly op: string;
  readonly reason: string;
  /** Path of the layer the node came from; empty where it is not known. */
  readonly layer: string;
}

/**
 * Passes when there is no unsupported node.
 *
 * @throws {CkptError} UNSUPPORTED_OP listing each operation and reason once, with all the layers it comes from.
 */
export function requireNoUnsupported(format: string, nodes: readonly UnsupportedNode[]): void {
  const found = new Map<string, { op: string; reason: string; layers: string[] }>();
  for (const { op, reason, layer } of nodes) {
    const key = JSON.stringify([op, reason]);
    const entry = found.get(key) ?? { op, reason, layers: [] };
    found.set(key, entry);
    if (layer !== "" && !entry.layers.includes(layer)) {
      entry.layers.push(layer);
    }
  }
  if (found.size > 0) {
    throw new CkptError("UNSUPPORTED_OP", { format, ops: [...found.values()] });
  }
}
