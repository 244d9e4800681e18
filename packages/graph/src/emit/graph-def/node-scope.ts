import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Issue } from "@ckpt/manifest";

import type { Graph, Node, ValueRef } from "../../ir/graph.js";
import { type FunctionDef, type NodeDef, NodeDefSchema } from "../../proto/gen/tensorflow/graph_pb.js";
import { uniqueName } from "../separate-outputs.js";
import { nameFunctionOutput } from "./output-names.js";

/** What the scopes of one GraphDef share. */
export interface ScopeLibrary {
  readonly functions: FunctionDef[];
  /** What is wrong with nodes, whichever scope they are in. */
  readonly issues: Issue[];
  /** Names in use. TensorFlow.js keeps constants by name alone, so none is used twice, not even in two functions. */
  readonly taken: Set<string>;
}

/** A library without functions, in which the nodes of the graph have their names. */
export function createLibrary(graph: Graph): ScopeLibrary {
  return { functions: [], issues: [], taken: new Set(graph.nodes.map((node) => node.name)) };
}

/** The nodes of a GraphDef, or of one of its functions, as they are added. */
export class NodeScope {
  readonly defs: NodeDef[] = [];
  readonly library: ScopeLibrary;
  /** How values of the IR are named as inputs. */
  readonly #values = new Map<string, string>();
  readonly #prefix: string | undefined;

  /** `prefix` goes before the names of a function's nodes; the graph itself has none. */
  constructor(library: ScopeLibrary, prefix?: string) {
    this.library = library;
    this.#prefix = prefix;
  }

  /** A function's scope. */
  enter(prefix: string): NodeScope {
    return new NodeScope(this.library, prefix);
  }

  /** A name that nothing has yet. */
  claim(hint: string): string {
    const name = uniqueName(hint, this.library.taken);
    this.library.taken.add(name);
    return name;
  }

  /** The name of the NodeDef for a node of the IR. */
  nameOf(node: Node): string {
    return this.#prefix === undefined ? node.name : this.claim(`${this.#prefix}/${node.name}`);
  }

  /** Adds the NodeDef of a node of the IR. */
  add(node: Node, def: MessageInitShape<typeof NodeDefSchema> & { readonly op: string }): void {
    const name = this.nameOf(node);
    this.defs.push(create(NodeDefSchema, { ...def, name }));
    for (const output of node.outputs.keys()) {
      this.define({ node: node.name, output }, this.refer(name, def.op, output));
    }
  }

  /** Adds a NodeDef that no node of the IR stands for, and gives its first output as an input. */
  addNew(name: string, def: MessageInitShape<typeof NodeDefSchema> & { readonly op: string }): string {
    this.defs.push(create(NodeDefSchema, { ...def, name }));
    return this.refer(name, def.op, 0);
  }

  /** An output of a NodeDef as it is written as an input. */
  refer(name: string, op: string, output: number): string {
    if (this.#prefix !== undefined) return nameFunctionOutput(name, op, output);
    return output === 0 ? name : `${name}:${output}`;
  }

  /** Says how a value of the IR is written as an input. */
  define(value: ValueRef, input: string): void {
    this.#values.set(toKey(value), input);
  }

  isDefined(value: ValueRef): boolean {
    return this.#values.has(toKey(value));
  }

  resolve(value: ValueRef): string {
    const found = this.#values.get(toKey(value));
    if (found === undefined) throw new TypeError(`${toKey(value)} is read before it is written`);
    return found;
  }
}

function toKey({ node, output }: ValueRef): string {
  return `${output}:${node}`;
}
