import { create } from "@bufbuild/protobuf";
import { CkptError } from "@ckpt/manifest";

import {
  FunctionDefSchema,
  type GraphDef,
  GraphDefSchema,
  type NodeDef,
  type TensorProto,
} from "../proto/gen/tensorflow/graph_pb.js";
import { boolAttribute } from "./attributes.js";
import { findVariables, type GraphVariable, isVariable } from "./find-variables.js";
import { inlineCalls } from "./inline-calls.js";
import { mergePartitionedLookups } from "./merge-partitioned-lookups.js";
import { narrowTypes } from "./narrow-types.js";
import { parseNodeInput } from "./node-input.js";
import { isPlaceholder, pinPlaceholders, type Pins } from "./pin-placeholders.js";
import { type OutputCandidate, proposeOutputs } from "./propose-outputs.js";
import { replaceOps } from "./replace-ops.js";
import { replaceVariables } from "./replace-variables.js";
import { resolveBranches } from "./resolve-branches.js";
import { sortNeededNodes } from "./sort-nodes.js";

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
  readonly nodes: readonly NodeDef[];
  /** Functions of branches and loops. */
  readonly library: GraphDef["library"];
  /** The placeholders that are fed. */
  readonly inputs: readonly NodeDef[];
  readonly outputs: readonly ImportedOutput[];
  /** Those that are read. */
  readonly variables: readonly GraphVariable[];
}

/** The likeliest outputs of a graph, the best first. */
export function listOutputCandidates(graphDef: GraphDef, path: string): readonly OutputCandidate[] {
  return proposeOutputs(inlineCalls(graphDef, path));
}

function refuse(path: string, reason: string, remedy: string): never {
  throw new CkptError("MODEL_UNREADABLE", { path, reason, remedy });
}

/**
 * Finds what a graph of TensorFlow needs to compute the outputs: called functions are put in place, pinned placeholders
 * are constants, branches not taken are gone, and so is all that trains, saves and watches.
 *
 * @throws {CkptError} INVALID_OPTION when a pin or an output does not fit the graph; MODEL_UNREADABLE when an output is
 *   never computed, a branch depends on a placeholder that is not pinned, or a batch normalization uses the statistics of
 *   the batch.
 */
export function planImport(graphDef: GraphDef, { path, outputs, pins = {} }: PlanImportOptions): ImportPlan {
  const all = inlineCalls(graphDef, path);
  checkOutputs(all, outputs);
  const variables = findVariables(all);
  const { nodes, roots } = resolveBranches(
    pinPlaceholders(all, pins),
    outputs.map(({ tensor }) => tensor),
  );
  const dead = outputs[roots.indexOf(undefined)];
  if (dead !== undefined) {
    refuse(
      path,
      `its output ${dead.name} is never computed with these pins`,
      "Pin other values, or name another output.",
    );
  }
  const live = [...nodes.values()];
  checkBranches(live, nodes, path);
  checkBatchNorm(live, path);
  return {
    nodes: live,
    library: graphDef.library,
    inputs: live.filter(isPlaceholder),
    outputs: outputs.map(({ name, tensor }, index) => ({ name, tensor: roots[index] ?? tensor })),
    variables: live.filter(isVariable).flatMap((node) => variables.get(node.name) ?? []),
  };
}

function checkOutputs(nodes: ReadonlyMap<string, NodeDef>, outputs: readonly ImportedOutput[]): void {
  const unknown = outputs.find(({ tensor }) => !nodes.has(parseNodeInput(tensor).node));
  if (unknown === undefined) return;
  const names = proposeOutputs(nodes).slice(0, 5);
  const expected = `a node of the graph, such as ${names.map(({ name }) => name).join(", ")}`;
  throw new CkptError("INVALID_OPTION", { option: "--outputs", expected, found: unknown.tensor });
}

/** A `Switch` that is left is a loop's, or depends on something that is fed. */
function checkBranches(live: readonly NodeDef[], nodes: ReadonlyMap<string, NodeDef>, path: string): void {
  for (const node of live) {
    if (node.op !== "Switch" && node.op !== "RefSwitch") continue;
    const placeholder = findSource(nodes, node.input[1] ?? "");
    if (placeholder === undefined) continue;
    const remedy = `Pin it: --pin ${placeholder}=false, or =true.`;
    refuse(path, `which branch it takes at ${node.name} depends on the placeholder ${placeholder}`, remedy);
  }
}

/** The first placeholder that a value is computed from, if there is any. */
function findSource(nodes: ReadonlyMap<string, NodeDef>, text: string): string | undefined {
  const seen = new Set<string>();
  const stack = [parseNodeInput(text).node];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const node = nodes.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    if (isPlaceholder(node)) return name;
    stack.push(...node.input.map((input) => parseNodeInput(input).node));
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
  const { nodes, library, outputs } = plan;
  const rewrite = (list: readonly NodeDef[]): NodeDef[] =>
    replaceOps(replaceVariables(list, values)).map((node) => narrowTypes(node));
  const merged = mergePartitionedLookups(rewrite(nodes));
  const roots = outputs.map(({ tensor }) => parseNodeInput(tensor).node);
  return create(GraphDefSchema, {
    // What a joined lookup took the place of is not needed any more.
    node: [...sortNeededNodes(new Map(merged.map((node) => [node.name, node])), roots, false)],
    ...(library === undefined
      ? {}
      : {
          library: {
            function: library.function.map((body) =>
              create(FunctionDefSchema, { ...body, nodeDef: rewrite(body.nodeDef) }),
            ),
          },
        }),
  });
}
