import { create } from "@bufbuild/protobuf";

import {
  AttrValueSchema,
  DataType,
  type NodeDef,
  NodeDefSchema,
  type TensorProto,
} from "../proto/gen/tensorflow/graph_pb.js";
import { toTypeAttribute } from "./attributes.js";
import { parseNodeInput } from "./node-input.js";

const stitches: ReadonlySet<string> = new Set(["ParallelDynamicStitch", "DynamicStitch"]);

/** A lookup in a table that is kept in parts: which rows of which parts. */
interface PartitionedLookup {
  readonly stitch: NodeDef;
  /** Names of the parts, in order. */
  readonly tables: readonly string[];
  /** Rows of each part. */
  readonly rowCounts: readonly number[];
  /** The row within its part, for each index. */
  readonly rows: string;
  /** The part, for each index. */
  readonly parts: string;
}

/**
 * Makes one lookup in the joined table of a lookup in a table that is kept in parts. TensorFlow sorts the indices by part
 * (`DynamicPartition`), looks each part up, and puts the results back in order (`ParallelDynamicStitch`); TensorFlow.js and
 * ONNX have neither. Row r of part p is row `offset[p] + r` of the parts joined, whichever way indices are dealt out.
 */
export function mergePartitionedLookups(nodes: readonly NodeDef[]): readonly NodeDef[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return nodes.flatMap((node) => {
    const lookup = stitches.has(node.op) ? describeLookup(node, byName) : undefined;
    return lookup === undefined ? [node] : joinLookup(lookup);
  });
}

/** The node behind copies of a value. */
function follow(nodes: ReadonlyMap<string, NodeDef>, text: string): NodeDef | undefined {
  let node = nodes.get(parseNodeInput(text).node);
  for (let hops = 0; node?.op === "Identity" && hops < nodes.size; hops++) {
    node = nodes.get(parseNodeInput(node.input[0] ?? "").node);
  }
  return node;
}

function constantOf(node: NodeDef | undefined): TensorProto | undefined {
  const value = node?.op === "Const" ? node.attr["value"]?.value : undefined;
  return value?.case === "tensor" ? value.value : undefined;
}

function describeLookup(stitch: NodeDef, nodes: ReadonlyMap<string, NodeDef>): PartitionedLookup | undefined {
  const count = stitch.input.length / 2;
  const tables: string[] = [];
  const rowCounts: number[] = [];
  let rows: string | undefined;
  let parts: string | undefined;
  for (const [index, text] of stitch.input.slice(count).entries()) {
    const gather = follow(nodes, text);
    if (gather?.op !== "GatherV2" && gather?.op !== "Gather") return undefined;
    const table = follow(nodes, gather.input[0] ?? "");
    const partition = follow(nodes, gather.input[1] ?? "");
    const rowCount = constantOf(table)?.tensorShape?.dim[0]?.size;
    if (table === undefined || rowCount === undefined || partition?.op !== "DynamicPartition") return undefined;
    const [partitionRows, partitionParts] = partition.input;
    if (index > 0 && (partitionRows !== rows || partitionParts !== parts)) return undefined;
    [rows, parts] = [partitionRows, partitionParts];
    tables.push(table.name);
    rowCounts.push(Number(rowCount));
  }
  return rows === undefined || parts === undefined ? undefined : { stitch, tables, rowCounts, rows, parts };
}

function joinLookup({ stitch, tables, rowCounts, rows, parts }: PartitionedLookup): readonly NodeDef[] {
  const { DT_FLOAT, DT_INT32 } = DataType;
  const add = (suffix: string, op: string, input: readonly string[], attr: NodeDef["attr"]): NodeDef =>
    create(NodeDefSchema, { name: `${stitch.name}/${suffix}`, op, input: [...input], attr });
  const ints = (suffix: string, values: readonly number[], isScalar: boolean): NodeDef => {
    const dim = isScalar ? [] : [{ size: BigInt(values.length) }];
    const tensor = { dtype: DT_INT32, tensorShape: { dim }, intVal: [...values] };
    const value = create(AttrValueSchema, { value: { case: "tensor", value: tensor } });
    return add(suffix, "Const", [], { dtype: toTypeAttribute(DT_INT32), value });
  };
  const gather = (name: string, type: DataType, input: readonly string[]): NodeDef =>
    create(NodeDefSchema, {
      name,
      op: "GatherV2",
      input: [...input],
      attr: {
        Tparams: toTypeAttribute(type),
        Tindices: toTypeAttribute(DT_INT32),
        Taxis: toTypeAttribute(DT_INT32),
      },
    });
  const axis = ints("axis", [0], true);
  const offsets = ints(
    "offsets",
    rowCounts.map((_, part) => rowCounts.slice(0, part).reduce((sum, rowCount) => sum + rowCount, 0)),
    false,
  );
  const joined = add("table", "ConcatV2", [...tables, axis.name], {
    N: create(AttrValueSchema, { value: { case: "i", value: BigInt(tables.length) } }),
    T: toTypeAttribute(DT_FLOAT),
    Tidx: toTypeAttribute(DT_INT32),
  });
  const start = gather(`${stitch.name}/start`, DT_INT32, [offsets.name, parts, axis.name]);
  const row = add("row", "AddV2", [rows, start.name], { T: toTypeAttribute(DT_INT32) });
  return [axis, offsets, joined, start, row, gather(stitch.name, DT_FLOAT, [joined.name, row.name, axis.name])];
}
