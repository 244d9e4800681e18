import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import { producerVersion } from "../emit/graph-def/emit-graph-def.js";
import {
  type FunctionDef,
  FunctionDefSchema,
  type GraphDef,
  GraphDefSchema,
  type NodeDef,
  NodeDefSchema,
  type TensorProto,
} from "../proto/gen/tensorflow/graph_pb.js";
import { boolAttribute } from "./attributes.js";
import { fillDefaults } from "./fill-defaults.js";
import { findVariables, type GraphVariable, isVariable } from "./find-variables.js";
import { indexFunctions, inlineBranches, inlineCalls, maxDepth } from "./inline-calls.js";
import { mergePartitionedLookups } from "./merge-partitioned-lookups.js";
import { narrowTypes } from "./narrow-types.js";
import { parseNodeInput } from "./node-input.js";
import { isPlaceholder, pinPlaceholders, type Pins } from "./pin-placeholders.js";
import { type OutputCandidate, proposeOutputs } from "./propose-outputs.js";
import { pruneLoops } from "./prune-loops.js";
import { replaceOps } from "./replace-ops.js";
import { replaceVariables } from "./replace-variables.js";
import { type ResolvedBranches, resolveBranches } from "./resolve-branches.js";
import { checkInputs, sortNeededNodes } from "./sort-nodes.js";

/** An output of a model: the user's name for it and the tensor, `node` or `node:output`. */
export interface ImportedOutput {
  readonly name: string;
  readonly tensor: string;
}

/** What of a graph of TensorFlow is to be frozen. */
export interface PlanImportOptions {
  /** Of the model; named in errors. */
  readonly path: string;
  readonly outputs: readonly ImportedOutput[];
  /** Fixed values of placeholders by name. */
  readonly pins?: Pins;
}

/** The part of a graph that predicts, with its variables still to be given values. */
export interface ImportPlan {
  /** Of the model; named in errors. */
  readonly path: string;
  readonly nodes: readonly NodeDef[];
  /** Conditions and bodies of loops. */
  readonly functions: readonly FunctionDef[];
  /** The placeholders that are fed. */
  readonly inputs: readonly NodeDef[];
  readonly outputs: readonly ImportedOutput[];
  /** Those that are read. */
  readonly variables: readonly GraphVariable[];
}

/** The likeliest outputs of a graph, the best first. */
export function listOutputCandidates(graphDef: GraphDef, path: string): readonly OutputCandidate[] {
  return proposeOutputs(indexNodes(inlineCalls(graphDef.node, indexFunctions(graphDef), path)));
}

function indexNodes(nodes: readonly NodeDef[]): ReadonlyMap<string, NodeDef> {
  return new Map(nodes.map((node) => [node.name, node]));
}

function refuse(path: string, reason: string, remedy: string): never {
  throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy });
}

/**
 * Finds what a graph of TensorFlow needs to compute the outputs: called functions are put in place, pinned placeholders
 * are constants, branches not taken are gone, and so is all that trains, saves and watches.
 *
 * @throws {CkptError} INVALID_OPTION when a pin or an output does not fit the graph; MODEL_UNREADABLE when an output is
 *   never computed, a node reads what is not there or its own result, functions do not fit together or never end, a branch
 *   depends on a placeholder that is not pinned, or a batch normalization uses the statistics of the batch.
 */
export function planImport(graphDef: GraphDef, { path, outputs, pins = {} }: PlanImportOptions): ImportPlan {
  const functions = indexFunctions(graphDef);
  const marks = outputs.map(({ tensor }, index) => markRoot(tensor, index));
  const inlined = inlineCalls([...graphDef.node, ...marks], functions, path);
  const all = indexNodes(inlined.slice(0, -marks.length));
  const wanted = readRoots(inlined, marks.length);
  checkOutputs(all, outputs, wanted);
  const variables = findVariables(all);
  const { nodes, roots } = takeBranches(pinPlaceholders(all, pins), functions, wanted, path);
  const dead = outputs[roots.indexOf(undefined)];
  if (dead !== undefined) {
    refuse(
      path,
      `its output ${dead.name} is never computed with these pins`,
      "Pin other values, or name another output.",
    );
  }
  const tensors = wanted.map((tensor, index) => roots[index] ?? tensor);
  const pruned = pruneLoops([...nodes.values()], functions, tensors, path);
  const live = [
    ...sortNeededNodes(
      indexNodes(pruned.nodes),
      pruned.roots.map((tensor) => parseNodeInput(tensor).node),
      false,
    ),
  ];
  checkInputs(live, path);
  checkBranches(live, nodes, path);
  checkBatchNorm(live, path);
  return {
    path,
    nodes: live,
    functions: pruned.functions,
    inputs: live.filter(isPlaceholder),
    outputs: outputs.map(({ name }, index) => ({ name, tensor: pruned.roots[index] ?? "" })),
    variables: live.filter(isVariable).flatMap((node) => variables.get(node.name) ?? []),
  };
}

/** Branches may stand in branches. */
function takeBranches(
  nodes: ReadonlyMap<string, NodeDef>,
  functions: ReturnType<typeof indexFunctions>,
  tensors: readonly string[],
  path: string,
): ResolvedBranches {
  let resolved = resolveBranches(nodes, tensors);
  for (let depth = 0; ; depth++) {
    const current = [...resolved.nodes.values()];
    const roots = resolved.roots.filter((root) => root !== undefined);
    if (roots.length < tensors.length) return resolved;
    const marked = [...current, ...roots.map(markRoot)];
    const taken = inlineBranches(marked, functions, resolved.scalars, path);
    if (taken === marked) return resolved;
    if (depth === maxDepth) {
      refuse(path, `its branches stand in one another more than ${maxDepth} deep`, "Export the model again.");
    }
    resolved = resolveBranches(indexNodes(taken.slice(0, -roots.length)), readRoots(taken, roots.length));
  }
}

/** A node that reads an output, so that it is followed when that one's node is replaced. */
function markRoot(root: string, index: number): NodeDef {
  return create(NodeDefSchema, { name: `^${index}`, op: "Identity", input: [root] });
}

/** What the last nodes, which mark the roots, read. */
function readRoots(nodes: readonly NodeDef[], count: number): readonly string[] {
  return nodes.slice(-count).map(({ input }) => input[0] ?? "");
}

function checkOutputs(
  nodes: ReadonlyMap<string, NodeDef>,
  outputs: readonly ImportedOutput[],
  wanted: readonly string[],
): void {
  const unknown = outputs.find((_, index) => !nodes.has(parseNodeInput(wanted[index] ?? "").node));
  if (unknown === undefined) return;
  const names = proposeOutputs(nodes).slice(0, 5);
  const expected = `a node of the graph, such as ${names.map(({ name }) => name).join(", ")}`;
  throw new CkptError("INVALID_OPTION", { option: "--outputs", expected, found: unknown.tensor });
}

/** Which input of a branching operation decides. */
const predicateInputs: Readonly<Record<string, number>> = {
  Switch: 1,
  RefSwitch: 1,
  If: 0,
  StatelessIf: 0,
  Case: 0,
  StatelessCase: 0,
};

/** A branch that is left is a loop's, or depends on something that is fed. */
function checkBranches(live: readonly NodeDef[], nodes: ReadonlyMap<string, NodeDef>, path: string): void {
  for (const node of live) {
    const predicate = Object.hasOwn(predicateInputs, node.op) ? predicateInputs[node.op] : undefined;
    const placeholder = predicate === undefined ? undefined : findSource(nodes, node.input[predicate] ?? "");
    if (placeholder === undefined) continue;
    const remedy = `Pin it: --pin ${placeholder}=false, or =true.`;
    refuse(path, `which branch it takes at ${node.name} depends on the placeholder ${placeholder}`, remedy);
  }
}

/** What these say of a value does not depend on what it is. */
const sizeOps: ReadonlySet<string> = new Set(["Shape", "ShapeN", "Size", "Rank"]);

/** The first placeholder that a value is computed from other than by its sizes, if there is any. */
function findSource(nodes: ReadonlyMap<string, NodeDef>, text: string): string | undefined {
  const seen = new Set<string>();
  const stack = [parseNodeInput(text).node];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const node = nodes.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    if (isPlaceholder(node)) return name;
    if (!sizeOps.has(node.op)) stack.push(...node.input.map((input) => parseNodeInput(input).node));
  }
  return undefined;
}

function checkBatchNorm(live: readonly NodeDef[], path: string): void {
  const training = live.find(({ op, ...node }) => op.startsWith("FusedBatchNorm") && isTraining({ op, ...node }));
  if (training === undefined) return;
  const reason = `its batch normalization ${training.name} uses the statistics of the batch, as in training`;
  refuse(path, reason, "Pin the placeholder that switches training off, such as --pin is_training=false.");
}

function isTraining(node: NodeDef): boolean {
  return boolAttribute(node, "is_training", true);
}

/**
 * The plan as a GraphDef of operations on float32, int32 and bool, in which variables are constants.
 *
 * @param values - By name of the variable's node; every variable of the plan has one.
 * @throws {CkptError} UNSUPPORTED_DTYPE for complex numbers, and for an integer beyond int32.
 */
export function bindVariables(plan: ImportPlan, values: ReadonlyMap<string, TensorProto>): GraphDef {
  const { nodes, functions, outputs } = plan;
  const rewrite = (list: readonly NodeDef[]): NodeDef[] =>
    replaceOps(replaceVariables(list, values)).map((node) => fillDefaults(narrowTypes(node)));
  const merged = mergePartitionedLookups(rewrite(nodes));
  const roots = outputs.map(({ tensor }) => parseNodeInput(tensor).node);
  return create(GraphDefSchema, {
    versions: { producer: producerVersion },
    // What a joined lookup took the place of is not needed any more.
    node: [...sortNeededNodes(new Map(merged.map((node) => [node.name, node])), roots, false)],
    ...(functions.length === 0
      ? {}
      : {
          library: {
            function: functions.map((body) => create(FunctionDefSchema, { ...body, nodeDef: rewrite(body.nodeDef) })),
          },
        }),
  });
}
