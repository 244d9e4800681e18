import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type ArtifactFormat,
  type ArtifactManifest,
  artifactManifestType,
  digestBytes,
  formatPaths,
  manifestNames,
  type Signature,
  stageFolder,
} from "@ckpt/manifest";

const fixtures = new URL("fixtures/", import.meta.url);

export const classifierSignature: Signature = {
  inputs: [{ name: "features", dtype: "float32", shape: [null, 4] }],
  outputs: [
    { name: "probabilities", dtype: "float32", shape: [null, 3] },
    { name: "logits", dtype: "float32", shape: [null, 3] },
  ],
};

export interface ArtifactOptions {
  readonly formats?: readonly ArtifactFormat[];
  readonly signature?: Signature;
  readonly step?: number;
  /** Takes the place of a fixture's bytes. */
  readonly onnx?: Uint8Array;
  /** Takes the place of a fixture's weights. */
  readonly weights?: Weights;
  /** Whether the GraphModel has a loop, which ends before its first turn. */
  readonly hasLoop?: boolean;
  /** Path of the weight shard as `model.json` names it. */
  readonly shard?: string;
}

type Weights = Readonly<Record<string, readonly number[]>>;

/** Commits an artifact of the fixture classifier 1 or 2, as the freezer would, and returns its folder. */
export async function makeArtifact(
  parent: string,
  id: string,
  fixture: 1 | 2,
  options: ArtifactOptions = {},
): Promise<string> {
  const { formats = ["graph-model", "onnx"], signature = classifierSignature, step = fixture } = options;
  const folder = join(parent, id);
  const stage = await stageFolder(folder);
  if (formats.includes("onnx")) {
    await stage.write(
      formatPaths.onnx,
      options.onnx ?? (await readFile(new URL(`classifier-${fixture}.onnx`, fixtures))),
    );
  }
  if (formats.includes("graph-model")) {
    const weights = options.weights ?? (await readWeights(fixture));
    const shard = options.shard ?? "weights.bin";
    await stage.write(formatPaths["graph-model"], JSON.stringify(describeGraphModel(shard, options.hasLoop)));
    await stage.write(
      "graph-model/weights.bin",
      Buffer.from(Float32Array.from(weightShapes.flatMap(({ name }) => weights[name] ?? [])).buffer),
    );
  }
  if (formats.includes("saved-model")) await stage.write("saved-model/saved_model.pb", "not reached");
  await stage.commit(manifestNames.artifact, (files): ArtifactManifest => ({
    kind: artifactManifestType.kind,
    schemaVersion: artifactManifestType.schemaVersion,
    source: { kind: "checkpoint", digest: digestBytes(id), step },
    signature,
    formats,
    tolerance: 1e-5,
    parity: [],
    files,
  }));
  return folder;
}

export async function readWeights(fixture: 1 | 2): Promise<Weights> {
  return JSON.parse(await readFile(new URL(`classifier-${fixture}.json`, fixtures), "utf8")) as Weights;
}

const weightShapes = [
  { name: "w1", shape: [4, 8] },
  { name: "b1", shape: [8] },
  { name: "w2", shape: [8, 3] },
  { name: "b2", shape: [3] },
];

function tensorShape(...sizes: readonly number[]): object {
  return { dim: sizes.map((size) => ({ size: String(size) })) };
}

// A loop over a value and a flag; the flag is that of the first element.
const loop = [
  { name: "never", op: "Less", input: ["y1", "y1"], attr: { T: { type: "DT_FLOAT" } } },
  {
    name: "loop",
    op: "StatelessWhile",
    input: ["y1", "never"],
    attr: {
      T: { list: { type: ["DT_FLOAT", "DT_BOOL"] } },
      cond: { func: { name: "cond" } },
      body: { func: { name: "body" } },
    },
  },
];

/** A function of both that gives back some. */
function loopFunction(name: string, given: readonly string[]): object {
  const types: Readonly<Record<string, string>> = { value: "DT_FLOAT", flag: "DT_BOOL" };
  return {
    signature: {
      name,
      inputArg: Object.entries(types).map(([argument, type]) => ({ name: argument, type })),
      outputArg: given.map((argument) => ({ name: `next_${argument}`, type: types[argument] })),
    },
    nodeDef: [],
    ret: Object.fromEntries(given.map((argument) => [`next_${argument}`, argument])),
  };
}

/** The classifier as TensorFlow.js's converter writes a GraphModel: a GraphDef in proto3 JSON with a signature. */
function describeGraphModel(shard: string, hasLoop = false): object {
  const float = { T: { type: "DT_FLOAT" } };
  const constants = weightShapes.map(({ name, shape }) => ({
    name,
    op: "Const",
    attr: { dtype: { type: "DT_FLOAT" }, value: { tensor: { dtype: "DT_FLOAT", tensorShape: tensorShape(...shape) } } },
  }));
  const info = (name: string, width: number): object => ({
    name,
    dtype: "DT_FLOAT",
    tensorShape: tensorShape(-1, width),
  });
  return {
    format: "graph-model",
    modelTopology: {
      node: [
        ...constants,
        { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: tensorShape(-1, 4) } } },
        { name: "product1", op: "MatMul", input: ["x", "w1"], attr: float },
        { name: "hidden", op: "BiasAdd", input: ["product1", "b1"], attr: float },
        { name: "active", op: "Relu", input: ["hidden"], attr: float },
        { name: "product2", op: "MatMul", input: ["active", "w2"], attr: float },
        { name: "y1", op: "BiasAdd", input: ["product2", "b2"], attr: float },
        ...(hasLoop ? loop : []),
        { name: "y2", op: "Softmax", input: [hasLoop ? "loop" : "y1"], attr: float },
      ],
      library: hasLoop ? { function: [loopFunction("cond", ["flag"]), loopFunction("body", ["value", "flag"])] } : {},
      versions: { producer: 1 },
    },
    // The keys are not the nodes' names, as with the freezer.
    signature: {
      inputs: { features: info("x:0", 4) },
      outputs: { probabilities: info("y2:0", 3), logits: info("y1:0", 3) },
    },
    weightsManifest: [
      { paths: [shard], weights: weightShapes.map(({ name, shape }) => ({ name, shape, dtype: "float32" })) },
    ],
  };
}
