import type { CheckpointReader } from "./checkpoint-reader.js";
import { MessageReader } from "./message-reader.js";
import { MessageWriter } from "./message-writer.js";
import type { TensorValue } from "./tensor-value.js";

/** The key of the object graph, which an object-based checkpoint (`tf.train.Checkpoint`) has beside its tensors. */
export const objectGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";
const attributeSeparator = "/.ATTRIBUTES/";
const valueAttribute = "VARIABLE_VALUE";

/** A tensor as the object graph has it. */
export interface TrackedTensor {
  /** Its key in the checkpoint. */
  readonly key: string;
  /**
   * How the objects lead to it: the names of the attributes, joined by `/`. As in the key, a dot in a name is doubled and
   * a slash is `.S`; an optimizer's slot is `<variable>/.OPTIMIZER_SLOT/<optimizer>/<slot>`.
   */
  readonly path: string;
  /** The variable's own name, under which a name-based checkpoint has it; several may share one, and not all have one. */
  readonly fullName?: string;
}

/**
 * The tensors of an object-based checkpoint by the names they go by, in the order of the graph; `undefined` when it has
 * no object graph, which makes it name-based.
 *
 * @throws {CkptError} BUNDLE_INVALID, and what reading a tensor throws.
 */
export async function readTrackedTensors(reader: CheckpointReader): Promise<readonly TrackedTensor[] | undefined> {
  if (reader.entries.get(objectGraphKey)?.dtype !== "string") return undefined;
  const { values } = await reader.read(objectGraphKey);
  const graph = values[0];
  return graph instanceof Uint8Array ? parseObjectGraph(graph, reader.prefix) : undefined;
}

/**
 * The tensors that a TrackableObjectGraph lists.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function parseObjectGraph(bytes: Uint8Array, path: string): readonly TrackedTensor[] {
  const tensors: TrackedTensor[] = [];
  const graph = new MessageReader(bytes, path);
  for (let field = graph.next(); field !== 0; field = graph.next()) {
    if (field === 1) tensors.push(...readObject(graph.readMessage()));
    else graph.skip();
  }
  return tensors;
}

function readObject(message: MessageReader): readonly TrackedTensor[] {
  const tensors: TrackedTensor[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 2) tensors.push(readSerializedTensor(message.readMessage()));
    else message.skip();
  }
  return tensors;
}

function readSerializedTensor(message: MessageReader): TrackedTensor {
  let key = "";
  let fullName = "";
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 2) fullName = message.readText();
    else if (field === 3) key = message.readText();
    else message.skip();
  }
  const path = key.split(attributeSeparator, 1)[0]!;
  return { key, path, ...(fullName !== "" && { fullName }) };
}

/** An object being written: its attributes by name, and the variable it is, if it is one. */
interface ObjectNode {
  readonly children: Map<string, number>;
  variable?: string;
}

/**
 * Gives tensors the keys and the object graph of an object-based checkpoint. A name is a path of attributes, joined by `/`:
 * `model/dense/kernel` is found by `tf.train.Checkpoint(model=...)` whose `dense` has a `kernel`. Adds `save_counter`,
 * which TensorFlow asks for, unless there is one.
 */
export function nameAsObjects(tensors: ReadonlyMap<string, TensorValue>): ReadonlyMap<string, TensorValue> {
  const named = new Map<string, TensorValue>([
    ["save_counter", { dtype: "int64", shape: [], values: BigInt64Array.of(1n) }],
    ...tensors,
  ]);
  const graph = writeObjectGraph([...named.keys()]);
  return new Map<string, TensorValue>([
    ...[...named].map(([name, value]) => [variableKey(name), value] as const),
    [objectGraphKey, { dtype: "string", shape: [], values: [graph] }],
  ]);
}

function variableKey(name: string): string {
  return `${name.split("/").map(escapeName).join("/")}${attributeSeparator}${valueAttribute}`;
}

function escapeName(name: string): string {
  return name.replaceAll(".", "..");
}

function writeObjectGraph(names: readonly string[]): Uint8Array {
  const nodes: ObjectNode[] = [{ children: new Map() }];
  for (const name of names) {
    let node = nodes[0]!;
    for (const part of name.split("/")) {
      const index = node.children.get(part) ?? nodes.push({ children: new Map() }) - 1;
      node.children.set(part, index);
      node = nodes[index]!;
    }
    node.variable = name;
  }
  const graph = new MessageWriter();
  for (const node of nodes) graph.writeField(1, writeObject(node));
  return graph.finish();
}

function writeObject({ children, variable }: ObjectNode): MessageWriter {
  const message = new MessageWriter();
  for (const [name, index] of children) {
    message.writeField(1, new MessageWriter().writeInteger(1, index).writeField(2, name));
  }
  if (variable !== undefined) {
    const tensor = new MessageWriter()
      .writeField(1, valueAttribute)
      .writeField(2, variable)
      .writeField(3, variableKey(variable));
    message.writeField(2, tensor);
  }
  // Every object here is a variable or leads to one.
  return message.writeField(5, new MessageWriter().writeInteger(1, 1));
}
