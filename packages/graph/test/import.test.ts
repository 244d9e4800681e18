import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type ErrorCode, isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { readNarrowValues } from "../src/import/narrow-tensor.js";
import { captureGraphDef, listOutputCandidates, loadGraphDef, planImport, type Pins } from "../src/index.js";
import {
  DataType,
  type FunctionDefSchema,
  type GraphDef,
  GraphDefSchema,
  type NodeDefSchema,
  type TensorProto,
  TensorProtoSchema,
} from "../src/proto/gen/tensorflow/graph_pb.js";
import { readTensorContent } from "../src/read/tensor-content.js";

type NodeInit = MessageInitShape<typeof NodeDefSchema>;
type FunctionInit = MessageInitShape<typeof FunctionDefSchema>;
type Attributes = NonNullable<NodeInit["attr"]>;

const float: Attributes = { dtype: { value: { case: "type", value: DataType.DT_FLOAT } } };

function node(name: string, op: string, input: string[] = [], attr: Attributes = {}): NodeInit {
  return { name, op, input, attr };
}

function placeholder(name: string, type: DataType, sizes?: readonly number[]): NodeInit {
  const dim = (sizes ?? []).map((size) => ({ size: BigInt(size) }));
  return node(name, "Placeholder", [], {
    dtype: { value: { case: "type", value: type } },
    shape: { value: { case: "shape", value: sizes === undefined ? { unknownRank: true } : { dim } } },
  });
}

function constant(name: string, values: number[], sizes: readonly number[] = [values.length]): NodeInit {
  const dim = sizes.map((size) => ({ size: BigInt(size) }));
  const value = { dtype: DataType.DT_FLOAT, tensorShape: { dim }, floatVal: values };
  return node(name, "Const", [], { ...float, value: { value: { case: "tensor", value } } });
}

function graph(nodes: readonly NodeInit[], library?: MessageInitShape<typeof GraphDefSchema>["library"]): GraphDef {
  return create(GraphDefSchema, { node: [...nodes], ...(library === undefined ? {} : { library }) });
}

function plan(graphDef: GraphDef, output: string, pins: Pins = {}): ReturnType<typeof planImport> {
  return planImport(graphDef, { path: "model", outputs: [{ name: "y", tensor: output }], pins });
}

function failure(action: () => unknown, code: ErrorCode): string {
  try {
    action();
  } catch (error) {
    if (isCkptError(error, code)) return error.message;
    throw error;
  }
  throw new Error("It was not refused.");
}

const x = placeholder("x", DataType.DT_FLOAT, [-1, 2]);
const training = placeholder("is_training", DataType.DT_BOOL, []);
const branches = graph([
  x,
  training,
  node("not", "LogicalNot", ["is_training"]),
  node("switch", "Switch", ["x", "not"]),
  node("twice", "AddV2", ["switch:1", "switch:1"], { T: float["dtype"]! }),
  node("square", "Square", ["switch"], { T: float["dtype"]! }),
  node("merge", "Merge", ["twice", "square"]),
  node("y", "Identity", ["merge", "^init"]),
  node("init", "NoOp"),
]);

beforeAll(() => tf.setBackend("cpu"));

describe("branches", () => {
  it.each<[string, readonly string[]]>([
    ["true", ["Placeholder", "Square", "Identity"]],
    ["false", ["Placeholder", "AddV2", "Identity"]],
  ])("that a pinned placeholder decides leave the one taken: is_training=%s", async (pin, ops) => {
    const planned = plan(branches, "y", { is_training: pin });
    expect(planned.nodes.map(({ op }) => op)).toEqual(ops);
    expect(planned.inputs.map(({ name }) => name)).toEqual(["x"]);
    const loaded = await loadGraphDef(planned, new Map());
    const [result] = await loaded.compute(tf.tensor2d([[1, -3]]));
    expect(result?.dataSync()).toEqual(Float32Array.from(pin === "true" ? [1, 9] : [2, -6]));
    expect((await captureGraphDef(planned, new Map())).signature).toEqual({
      inputs: [{ name: "x", dtype: "float32", shape: [null, 2] }],
      outputs: [{ name: "y", dtype: "float32", shape: [null, 2] }],
    });
  });

  it("that are open name the placeholder to pin", () => {
    expect(failure(() => plan(branches, "y"), "MODEL_UNREADABLE")).toMatch(/switch.*is_training/);
  });

  it.each<[string, DataType, readonly string[]]>([
    ["an integer", DataType.DT_INT64, ["x", "square"]],
    ["a flag", DataType.DT_BOOL, ["x", "negative"]],
    ["a float", DataType.DT_FLOAT, ["x", "negative"]],
  ])("may depend on what is cast to %s", (_, type, names) => {
    const cast = graph([
      x,
      placeholder("rate", DataType.DT_FLOAT, []),
      constant("zero", [0], []),
      node("cast", "Cast", ["rate"], { DstT: { value: { case: "type", value: type } } }),
      node("isZero", "Equal", ["cast", "zero"]),
      node("switch", "Switch", ["x", "isZero"]),
      node("square", "Square", ["switch:1"]),
      node("negative", "Neg", ["switch"]),
      node("y", "Merge", ["square", "negative"]),
    ]);
    expect(plan(cast, "y", { rate: "0.5" }).nodes.map(({ name }) => name)).toEqual(names);
  });

  it("that are not taken may hold numbers that do not fit", () => {
    const big = { dtype: DataType.DT_INT64, tensorShape: { dim: [] }, int64Val: [2n ** 63n - 1n] };
    const open = graph([
      x,
      training,
      node("big", "Const", [], { value: { value: { case: "tensor", value: big } } }),
      node("switch", "Switch", ["x", "is_training"]),
      node("sum", "AddV2", ["switch:1", "big"]),
      node("y", "Merge", ["switch", "sum"]),
    ]);
    expect(plan(open, "y", { is_training: "false" }).nodes.map(({ name }) => name)).toEqual(["x"]);
  });

  it("that are not taken may hold a loop", () => {
    const looped = graph([
      x,
      training,
      constant("zero", [0]),
      node("switch", "Switch", ["x", "is_training"]),
      node("enter", "Enter", ["switch:1"]),
      node("head", "Merge", ["enter", "next"]),
      node("limit", "Enter", ["zero"]),
      node("less", "Less", ["limit", "limit"]),
      node("cond", "LoopCond", ["less"]),
      node("round", "Switch", ["head", "cond"]),
      node("twice", "AddV2", ["round:1", "round:1"]),
      node("next", "NextIteration", ["twice"]),
      node("exit", "Exit", ["round"]),
      node("square", "Square", ["switch"]),
      node("y", "Merge", ["exit", "square"]),
    ]);
    expect(plan(looped, "y", { is_training: "false" }).nodes.map(({ name }) => name)).toEqual(["x", "square"]);
    const { nodes } = plan(looped, "y", { is_training: "true" });
    const places = new Map(nodes.map(({ name }, index) => [name, index]));
    const forward = nodes.flatMap(({ name, input }, index) =>
      input.filter((text) => (places.get(text.replace(/:.*/, "")) ?? 0) > index).map((text) => [name, text]),
    );
    expect(forward).toEqual([["head", "next"]]);
  });

  it("that are not taken cannot be an output", () => {
    const message = failure(() => plan(branches, "twice", { is_training: "true" }), "MODEL_UNREADABLE");
    expect(message).toMatch(/output y is never computed/);
  });
});

describe("what is asked for", () => {
  it.each<[string, string, Pins]>([
    ["an output that is no node", "nothing", { is_training: "false" }],
    ["a pin of what is no placeholder", "y", { square: "1" }],
    ["a pin that is no flag", "y", { is_training: "maybe" }],
  ])("is refused: %s", (_, output, pins) => {
    failure(() => plan(branches, output, pins), "INVALID_OPTION");
  });

  it("is proposed: what depends on an input, not what trains or is fed labels", () => {
    const candidates = listOutputCandidates(
      graph([
        x,
        placeholder("labels", DataType.DT_FLOAT, [-1, 2]),
        node("logits", "MatMul", ["x", "x"]),
        node("probs", "Softmax", ["logits"]),
        node("loss", "Sub", ["probs", "labels"]),
        node("gradients/probs_grad", "Mul", ["probs", "probs"]),
        node("save/Assign", "Assign", ["probs", "probs"]),
      ]),
      "model",
    );
    expect(candidates.map(({ name }) => name)).toEqual(["probs", "logits"]);
  });

  it.each<[string, string, readonly NodeInit[]]>([
    ["what is not there", "y reads gone:1", [node("y", "AddV2", ["x", "gone:1"])]],
    ["itself", "y reads y, which is computed from y", [node("y", "Relu", ["y"])]],
    [
      "its own result",
      "a reads b, which is computed from a",
      [node("a", "AddV2", ["b", "x"]), node("b", "Relu", ["a:0"]), node("y", "Relu", ["b"])],
    ],
  ])("is refused where a node reads %s", (_, message, nodes) => {
    expect(failure(() => plan(graph([x, ...nodes]), "y"), "MODEL_UNREADABLE")).toContain(message);
  });

  it("says of a placeholder without a rank that it has none", async () => {
    const planned = plan(graph([placeholder("x", DataType.DT_FLOAT), node("y", "Relu", ["x"])]), "y");
    await expect(loadGraphDef(planned, new Map())).rejects.toMatchObject({ code: "UNSUPPORTED_SHAPE" });
  });

  it("names every operation that TensorFlow.js does not execute", async () => {
    const planned = plan(graph([x, node("a", "Bessel", ["x"]), node("y", "Digamma", ["a"])]), "y");
    await expect(loadGraphDef(planned, new Map())).rejects.toMatchObject({
      code: "UNSUPPORTED_OP",
      details: { ops: [{ op: "Bessel" }, { op: "Digamma" }] },
    });
  });
});

function normalize(isTraining: boolean): GraphDef {
  return graph([
    placeholder("x", DataType.DT_FLOAT, [-1, 2, 2, 1]),
    ...["scale", "offset", "mean"].map((name, index) => constant(name, [index])),
    constant("variance", [4]),
    node("y", "FusedBatchNormV3", ["x", "scale", "offset", "mean", "variance"], {
      is_training: { value: { case: "b", value: isTraining } },
    }),
  ]);
}

describe("batch normalization", () => {
  it("in training mode is refused by name", () => {
    expect(failure(() => plan(normalize(true), "y"), "MODEL_UNREADABLE")).toMatch(/batch normalization y/);
    expect(plan(normalize(false), "y").nodes).toHaveLength(6);
  });
});

const argument = [{ name: "a", type: DataType.DT_FLOAT }];

function call(name: string, input: string, callee: string): NodeInit {
  return node(name, "PartitionedCall", [input], { f: { value: { case: "func", value: { name: callee } } } });
}

/** A function of one tensor. */
function unary(name: string, nodeDef: NodeInit[], result: string): FunctionInit {
  return { signature: { name, inputArg: argument, outputArg: [{ name: "b" }] }, nodeDef, ret: { b: result } };
}

function flag(name: string, value: boolean): NodeInit {
  const tensor = { dtype: DataType.DT_BOOL, tensorShape: { dim: [] }, boolVal: [value] };
  return node(name, "Const", [], {
    dtype: { value: { case: "type", value: DataType.DT_BOOL } },
    value: { value: { case: "tensor", value: tensor } },
  });
}

describe("functions", () => {
  it("stand in the place of their calls, inner calls too", () => {
    const graphDef = graph([x, call("y", "x", "outer")], {
      function: [
        {
          signature: { name: "outer", inputArg: argument, outputArg: [{ name: "b" }] },
          nodeDef: [call("inner", "a", "inner")],
          ret: { b: "inner:output:0" },
        },
        {
          signature: { name: "inner", inputArg: argument, outputArg: [{ name: "b" }] },
          nodeDef: [node("top", "TopKV2", ["a", "a"]), node("relu", "Relu", ["top:values:0"])],
          ret: { b: "relu:activations:0" },
        },
      ],
    });
    const { nodes, outputs } = plan(graphDef, "y");
    expect(nodes.map(({ name }) => name)).toEqual(["x", "y/inner/top", "y/inner/relu"]);
    expect(outputs).toEqual([{ name: "y", tensor: "y/inner/relu" }]);
  });

  it("take no name that a node beside their call has", () => {
    const body = {
      signature: { name: "square", inputArg: argument, outputArg: [{ name: "b" }] },
      nodeDef: [node("Identity", "Square", ["a"])],
      ret: { b: "Identity:y:0" },
    };
    const graphDef = graph([x, call("cond", "x", "square"), node("cond/Identity", "Relu", ["cond"])], {
      function: [body],
    });
    const { nodes } = plan(graphDef, "cond/Identity");
    expect(nodes.map(({ name, input }) => [name, input])).toEqual([
      ["x", []],
      ["cond_1/Identity", ["x"]],
      ["cond/Identity", ["cond_1/Identity"]],
    ]);
  });

  it("may have nodes, results and attributes with names of every object", () => {
    const attr: Attributes = { T: { value: { case: "placeholder", value: "valueOf" } } };
    const odd = {
      signature: { name: "odd", inputArg: argument, outputArg: [{ name: "constructor" }] },
      nodeDef: [node("toString", "constructor", ["a"], attr)],
      ret: { constructor: "toString:hasOwnProperty:0" },
    };
    const { nodes } = plan(graph([x, call("y", "x", "odd")], { function: [odd] }), "y");
    expect(nodes.map(({ name, op }) => [name, op])).toEqual([
      ["x", "Placeholder"],
      ["y/toString", "constructor"],
    ]);
  });

  it("without a result that is named like what every object has are refused", () => {
    const body = {
      signature: { name: "odd", inputArg: argument, outputArg: [{ name: "constructor" }] },
      nodeDef: [node("relu", "Relu", ["a"])],
    };
    const missing = graph([x, call("y", "x", "odd")], { function: [body] });
    expect(failure(() => plan(missing, "y"), "MODEL_UNREADABLE")).toMatch(/odd refers to constructor/);
  });

  it("that call themselves are refused", () => {
    const body = {
      signature: { name: "loop", inputArg: argument, outputArg: [{ name: "b" }] },
      nodeDef: [call("again", "a", "loop")],
      ret: { b: "again:output:0" },
    };
    const endless = graph([x, call("y", "x", "loop")], { function: [body] });
    expect(failure(() => plan(endless, "y"), "MODEL_UNREADABLE")).toMatch(/more than 100 deep/);
  });

  it("that call themselves twice are refused", () => {
    const body = unary("double", [call("one", "a", "double"), call("two", "one:output:0", "double")], "two:output:0");
    const endless = graph([x, call("y", "x", "double")], { function: [body] });
    expect(failure(() => plan(endless, "y"), "MODEL_UNREADABLE")).toMatch(/more than 131072 nodes/);
  });

  it("that feed one another their own results are refused", () => {
    const nodes = [x, call("p", "q", "same"), call("q", "p", "same"), node("y", "Relu", ["p"])];
    const circular = graph(nodes, { function: [unary("same", [], "a")] });
    expect(failure(() => plan(circular, "y"), "MODEL_UNREADABLE")).toMatch(/feed one another/);
  });

  it("that take themselves as a branch are refused", () => {
    const taken = node("if", "If", ["flag:output:0", "a"], {
      then_branch: branch("self"),
      else_branch: branch("self"),
    });
    const body = unary("self", [flag("flag", true), taken], "if:output:0");
    const endless = graph([x, call("y", "x", "self")], { function: [body] });
    expect(failure(() => plan(endless, "y"), "MODEL_UNREADABLE")).toMatch(/more than 100 deep/);
  });
});

function typed(type: DataType): Attributes {
  return { T: { value: { case: "type", value: type } } };
}

function integer(name: string, value: number): NodeInit {
  const tensor = { dtype: DataType.DT_INT32, tensorShape: { dim: [] }, intVal: [value] };
  return node(name, "Const", [], {
    dtype: { value: { case: "type", value: DataType.DT_INT32 } },
    value: { value: { case: "tensor", value: tensor } },
  });
}

const carried = [
  { name: "i", type: DataType.DT_INT32 },
  { name: "unused", type: DataType.DT_FLOAT },
  { name: "v", type: DataType.DT_FLOAT },
];

/** The node of a loop over {@link carried}. */
function loop(name: string, input: string[], body: string): NodeInit {
  return node(name, "StatelessWhile", input, {
    cond: { value: { case: "func", value: { name: "below" } } },
    body: { value: { case: "func", value: { name: body } } },
    T: { value: { case: "list", value: { type: carried.map(({ type }) => type) } } },
  });
}

/** Goes on while `i` is below 3. */
const below: FunctionInit = {
  signature: { name: "below", inputArg: carried, outputArg: [{ name: "goes", type: DataType.DT_BOOL }] },
  nodeDef: [integer("three", 3), node("less", "Less", ["i", "three:output:0"], typed(DataType.DT_INT32))],
  ret: { goes: "less:z:0" },
};

/** Adds 1 to `i`, and makes of `v` what `nodes` do. */
function round(name: string, nodes: NodeInit[], result: string): FunctionInit {
  return {
    signature: { name, inputArg: carried, outputArg: carried.map(({ name: n, type }) => ({ name: `new_${n}`, type })) },
    nodeDef: [
      integer("one", 1),
      node("next", "AddV2", ["i", "one:output:0"], typed(DataType.DT_INT32)),
      node("square", "Square", ["unused"], typed(DataType.DT_FLOAT)),
      ...nodes,
    ],
    ret: { new_i: "next:z:0", new_unused: "square:y:0", new_v: result },
  };
}

const twice = node("twice", "AddV2", ["v", "v"], typed(DataType.DT_FLOAT));

async function computeOnce(planned: ReturnType<typeof planImport>, value: number[][]): Promise<number[]> {
  const loaded = await loadGraphDef(planned, new Map());
  const [result] = await loaded.compute(tf.tensor2d(value));
  return [...(result?.dataSync() ?? [])];
}

describe("loops", () => {
  it("lose what goes round for nothing, whether a node or the output itself reads them", async () => {
    const library = { function: [below, round("double", [twice], "twice:z:0")] };
    const nodes = [x, integer("zero", 0), loop("w", ["zero", "x", "x"], "double")];
    const read = node("y", "Identity", ["w:2"], typed(DataType.DT_FLOAT));
    for (const output of ["y", "w:2"]) {
      const planned = plan(graph([...nodes, read], library), output);
      expect(planned.nodes.find(({ name }) => name === "w")?.input).toEqual(["zero", "x"]);
      expect(await computeOnce(planned, [[1, -3]])).toEqual([8, -24]);
    }
  });
});

/** Doubles `x`, of rank 3, as often as its second dimension has elements, in a loop of TensorFlow 1. */
function countedBy(sizes: readonly number[], step = 1): GraphDef {
  const int32 = typed(DataType.DT_INT32);
  const frame: Attributes = { frame_name: { value: { case: "s", value: new TextEncoder().encode("loop") } } };
  const fixed: Attributes = { ...frame, is_constant: { value: { case: "b", value: true } } };
  return graph([
    placeholder("x", DataType.DT_FLOAT, sizes),
    node("shape", "Shape", ["x"], { ...typed(DataType.DT_FLOAT), out_type: int32["T"]! }),
    integer("zero", 0),
    integer("one", 1),
    node("count", "GatherV2", ["shape", "one", "zero"], {
      Tparams: int32["T"]!,
      Tindices: int32["T"]!,
      Taxis: int32["T"]!,
    }),
    integer("step", step),
    node("count/enter", "Enter", ["count"], fixed),
    node("step/enter", "Enter", ["step"], fixed),
    node("i/enter", "Enter", ["zero"], frame),
    node("v/enter", "Enter", ["x"], frame),
    node("i/merge", "Merge", ["i/enter", "i/next"]),
    node("v/merge", "Merge", ["v/enter", "v/next"]),
    node("less", "Less", ["i/merge", "count/enter"], int32),
    node("cond", "LoopCond", ["less"]),
    node("i/switch", "Switch", ["i/merge", "cond"]),
    node("v/switch", "Switch", ["v/merge", "cond"]),
    node("add", "AddV2", ["i/switch:1", "step/enter"], int32),
    node("twice", "AddV2", ["v/switch:1", "v/switch:1"], typed(DataType.DT_FLOAT)),
    node("i/next", "NextIteration", ["add"]),
    node("v/next", "NextIteration", ["twice"]),
    node("y", "Exit", ["v/switch"]),
  ]);
}

describe("a loop that the size of an input bounds", () => {
  it("comes out step by step where the size is fixed", async () => {
    const { graph: captured } = await captureGraphDef(plan(countedBy([-1, 4, 2]), "y"), new Map());
    expect(captured.nodes.filter(({ op }) => op === "AddV2")).toHaveLength(4);
  });

  it("is refused where it never ends", async () => {
    const planned = plan(countedBy([-1, 4, 2], 0), "y");
    await expect(captureGraphDef(planned, new Map())).rejects.toThrow(/does not end within 250,000 operations/);
  });

  it("is refused where it is open", async () => {
    const planned = plan(countedBy([-1, -1, 2]), "y");
    await expect(captureGraphDef(planned, new Map())).rejects.toMatchObject({ code: "IMPURE_COMPUTATION" });
  });
});

function branch(name: string): Attributes[string] {
  return { value: { case: "func", value: { name } } };
}

describe("loops, inside", () => {
  const start = [x, integer("zero", 0), node("y", "Identity", ["w:2"], typed(DataType.DT_FLOAT))];
  const plain = round("plain", [twice], "twice:z:0");
  const double = unary("double", [node("sum", "AddV2", ["a", "a"], typed(DataType.DT_FLOAT))], "sum:z:0");
  const nested = (name: string, inner: string): FunctionInit =>
    round(name, [integer("none", 0), loop("inner", ["none:output:0", "v", "v"], inner)], "inner:output:2");

  it.each<[string, FunctionInit[], number]>([
    ["may call functions", [round("body", [call("twice", "v", "double")], "twice:output:0"), double], 8],
    ["may call functions of TensorFlow 1", [round("body", [node("twice", "double", ["v"])], "twice:b:0"), double], 8],
    ["may hold a loop", [nested("body", "plain"), plain], 512],
    [
      "may hold a branch",
      [
        round(
          "body",
          [
            integer("two", 2),
            node("less", "Less", ["i", "two:output:0"], typed(DataType.DT_INT32)),
            node("if", "StatelessIf", ["less:z:0", "v"], {
              then_branch: branch("double"),
              else_branch: branch("same"),
              Tin: { value: { case: "list", value: { type: [DataType.DT_FLOAT] } } },
              Tout: { value: { case: "list", value: { type: [DataType.DT_FLOAT] } } },
            }),
          ],
          "if:output:0",
        ),
        double,
        unary("same", [], "a"),
      ],
      4,
    ],
  ])("%s", async (_, functions, factor) => {
    const graphDef = graph([...start, loop("w", ["zero", "x", "x"], "body")], { function: [below, ...functions] });
    expect(await computeOnce(plan(graphDef, "y"), [[1, -3]])).toEqual([factor, -3 * factor]);
  });

  it.each<[string, FunctionInit[], RegExp]>([
    ["holds itself", [nested("body", "body")], /functions of inner hold themselves/],
    ["is not there", [], /function body of w is not there/],
    ["reads what is not there", [round("body", [node("n", "Relu", ["gone:y:0"])], "n:y:0")], /n reads gone/],
    ["has another number of values", [unary("body", [], "a")], /loop w do not take and give the 3 values/],
  ])("is refused where its body %s", (_, functions, message) => {
    const graphDef = graph([...start, loop("w", ["zero", "x", "x"], "body")], { function: [below, ...functions] });
    expect(failure(() => plan(graphDef, "y"), "MODEL_UNREADABLE")).toMatch(message);
  });
});

it("a graph that does not run is refused with what TensorFlow.js says", async () => {
  const product = node("y", "MatMul", ["x", "x"], typed(DataType.DT_FLOAT));
  const planned = plan(graph([placeholder("x", DataType.DT_FLOAT, [2, 3]), product]), "y");
  await expect(captureGraphDef(planned, new Map())).rejects.toMatchObject({
    code: "MODEL_UNREADABLE",
    message: expect.stringMatching(/inner shapes/) as string,
  });
});

describe("a constant", () => {
  it.each<[string, bigint[], number]>([
    ["has no whole number of elements", [2n], 3],
    ["is too short", [5n], 16],
    ["is too long", [1n], 16],
    ["has a size below 0", [-1n], 0],
    ["has no size that a file holds", [2n ** 20n, 2n ** 20n], 0],
    ["has no size that is a number", [0n, 2n ** 60n], 0],
  ])("is refused when it %s", (_, sizes, byteCount) => {
    const tensorShape = { dim: sizes.map((size) => ({ size })) };
    const tensorContent = new Uint8Array(byteCount);
    const double = create(TensorProtoSchema, { dtype: DataType.DT_DOUBLE, tensorShape, tensorContent });
    const float = create(TensorProtoSchema, { dtype: DataType.DT_FLOAT, tensorShape, tensorContent });
    expect(failure(() => readNarrowValues(double, "constant c"), "MODEL_UNREADABLE")).toMatch(/constant c: it has/);
    expect(failure(() => readTensorContent(float, "constant c"), "MODEL_UNREADABLE")).toMatch(/constant c: it has/);
  });
});

describe("readNarrowValues", () => {
  type Fields = Partial<
    Pick<TensorProto, "int64Val" | "doubleVal" | "halfVal" | "boolVal" | "stringVal" | "tensorContent">
  >;
  const read = (dtype: DataType, fields: Fields): ArrayLike<number> =>
    readNarrowValues(create(TensorProtoSchema, { dtype, tensorShape: { dim: [{ size: 2n }] }, ...fields }), "c").values;

  it.each<[string, DataType, Fields, ArrayLike<number>]>([
    ["int64", DataType.DT_INT64, { int64Val: [1n, -2n] }, Int32Array.of(1, -2)],
    ["a list that is shorter", DataType.DT_DOUBLE, { doubleVal: [0.5] }, Float32Array.of(0.5, 0.5)],
    ["half", DataType.DT_HALF, { halfVal: [0x3c00, 0xc400] }, Float32Array.of(1, -4)],
    ["bfloat16", DataType.DT_BFLOAT16, { halfVal: [0x3f80, 0xc040] }, Float32Array.of(1, -3)],
    ["bytes", DataType.DT_INT16, { tensorContent: Uint8Array.of(1, 0, 255, 255) }, Int32Array.of(1, -1)],
    ["bool", DataType.DT_BOOL, { boolVal: [true, false] }, Uint8Array.of(1, 0)],
  ])("reads %s", (_, dtype, fields, expected) => {
    expect(read(dtype, fields)).toEqual(expected);
  });

  it("refuses what int32 does not hold, and text", () => {
    failure(() => read(DataType.DT_INT64, { int64Val: [2n ** 40n] }), "UNSUPPORTED_DTYPE");
    failure(() => read(DataType.DT_STRING, { stringVal: [new Uint8Array()] }), "UNSUPPORTED_DTYPE");
  });

  it("refuses what float32 does not hold; infinity is one of its own", () => {
    expect(failure(() => read(DataType.DT_DOUBLE, { doubleVal: [-1e300] }), "UNSUPPORTED_DTYPE")).toMatch(
      /float64 beyond float32/,
    );
    expect(read(DataType.DT_DOUBLE, { doubleVal: [Infinity, 1] })).toEqual(Float32Array.of(Infinity, 1));
  });
});
