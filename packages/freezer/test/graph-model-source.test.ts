import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";

import { freeze, type FreezeResult } from "../src/index.js";
import { createTemporaryFolder, writeCheckpoint } from "./folders.js";
import { createConvModel, createDenseModel, createNestedModel } from "./models.js";
import { loadGraphModel, predictArtifact } from "./predict-artifact.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

async function freezeFirst(model: tf.LayersModel): Promise<{ folder: string; first: FreezeResult; source: string }> {
  const folder = await createTemporaryFolder();
  const checkpoint = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
  const first = await freeze({ source: checkpoint, out: join(folder, "first"), formats: ["graph-model"] });
  return { folder, first, source: join(first.path, "graph-model", "model.json") };
}

/** `y = x * kernel + bias`, as an old converter wrote it: no format, no signature, sizes as texts. */
async function writeOldModel(extras: object, extraNodes: readonly object[] = []): Promise<string> {
  const path = join(await createTemporaryFolder(), "model.json");
  const float = { type: "DT_FLOAT" };
  const modelTopology = {
    node: [
      {
        name: "x",
        op: "Placeholder",
        attr: { dtype: float, shape: { shape: { dim: [{ size: "-1" }, { size: "2" }] } } },
      },
      { name: "kernel", op: "Const", attr: { dtype: float } },
      { name: "bias", op: "Const", attr: { dtype: float } },
      { name: "MatMul", op: "MatMul", input: ["x", "kernel"], attr: { T: float } },
      { name: "y", op: "BiasAdd", input: ["MatMul", "bias"], attr: { T: float } },
      ...extraNodes,
    ],
    versions: {},
  };
  const weights = [
    { name: "kernel", dtype: "float32", shape: [2, 3] },
    { name: "bias", dtype: "float32", shape: [3] },
  ];
  await mkdir(dirname(path), { recursive: true });
  await writeFile(
    path,
    JSON.stringify({ modelTopology, weightsManifest: [{ paths: ["weights.bin"], weights }], ...extras }),
  );
  await writeFile(
    join(dirname(path), "weights.bin"),
    new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9).buffer),
  );
  return path;
}

describe("a GraphModel as a source", () => {
  it.each([
    ["dense", createDenseModel, 1],
    ["convolutional", createConvModel, 1],
    ["nested", createNestedModel, 2],
  ])("is emitted again in every format: %s", async (_name, createModel, outputCount) => {
    const { folder, first, source } = await freezeFirst(createModel(3));
    const { numTensors } = tf.memory();
    const again = await freeze({ source, out: join(folder, "again") });

    expect(tf.memory().numTensors).toBe(numTensors);
    expect(again.manifest.signature).toEqual(first.manifest.signature);
    expect(again.manifest.source).toEqual({ kind: "graph-model", digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(again.manifest.parity).toHaveLength(4 * outputCount);
    for (const { maxAbsoluteError } of again.manifest.parity) expect(maxAbsoluteError).toBeLessThan(1e-5);
    const inputs = first.manifest.signature.inputs.map(({ shape }) =>
      tf.randomNormal(
        shape.map((size) => size ?? 7),
        0,
        1,
        "float32",
        1,
      ),
    );
    const [expected, found] = [await predictArtifact(first.path, inputs), await predictArtifact(again.path, inputs)];
    for (const [index, values] of expected.entries()) {
      const errors = values.map((value, at) => Math.abs(value - (found[index]?.[at] ?? Number.NaN)));
      expect(Math.max(...errors)).toBeLessThan(1e-6);
    }
  });

  it("comes out unfused in a .pb, which has no fused operations", async () => {
    const { folder, source } = await freezeFirst(createConvModel(3));
    expect(await readFile(source, "utf8")).toContain("_FusedConv2D");
    await freeze({ source, out: join(folder, "again"), formats: ["graph-def"] });
    const bytes = await readFile(join(folder, "again", "frozen.pb"), "latin1");
    expect(bytes).not.toContain("_Fused");
    expect(bytes).toContain("Conv2D");
  });

  it("may have no signature: its placeholders and last nodes are that", async () => {
    const source = await writeOldModel({});
    const { path, manifest } = await freeze({ source, out: join(dirname(source), "artifact") });
    expect(manifest.signature).toEqual({
      inputs: [{ name: "x", dtype: "float32", shape: [null, 2] }],
      outputs: [{ name: "y", dtype: "float32", shape: [null, 3] }],
    });
    const [found] = await predictArtifact(path, [tf.tensor2d([[1, 1]])]);
    expect([...(found ?? [])]).toEqual([12, 15, 18]);
  });

  it("keeps the names of its structured outputs", async () => {
    const signature = {
      inputs: { x: { name: "x:0", dtype: "DT_FLOAT" } },
      outputs: { output_0: { name: "y:0", dtype: "DT_FLOAT" }, output_1: { name: "MatMul:0", dtype: "DT_FLOAT" } },
    };
    const source = await writeOldModel({
      signature,
      userDefinedMetadata: { structuredOutputKeys: ["sum", "product"] },
    });
    const { path, manifest } = await freeze({ source, out: join(dirname(source), "artifact") });
    expect(manifest.signature.outputs.map(({ name }) => name)).toEqual(["sum", "product"]);
    const [sum, product] = await predictArtifact(path, [tf.tensor2d([[1, 1]])]);
    expect([[...(sum ?? [])], [...(product ?? [])]]).toEqual([
      [12, 15, 18],
      [5, 7, 9],
    ]);
  });

  it("can be cut at its nodes, front and back", async () => {
    const source = await writeOldModel({});
    const cut = { inputs: ["MatMul"], outputs: ["y"] };
    const { path, manifest } = await freeze({ source, out: join(dirname(source), "artifact"), ...cut });
    expect(manifest.cut).toEqual(cut);
    expect(manifest.signature.inputs).toEqual([{ name: "MatMul", dtype: "float32", shape: [null, 3] }]);
    const [found] = await predictArtifact(path, [tf.tensor2d([[0, 0, 1]])]);
    expect([...(found ?? [])]).toEqual([7, 8, 10]);

    const unknown = await freeze({ source, out: join(dirname(source), "other"), outputs: ["matmul"] }).catch(
      (error: unknown) => error,
    );
    expect(isCkptError(unknown, "INVALID_OPTION") && unknown.details.expected).toContain("MatMul, ");
  });

  it("is refused when it branches at run time, by the node", async () => {
    const boolean = { type: "DT_BOOL" };
    const source = await writeOldModel({}, [
      { name: "flag", op: "Placeholder", attr: { dtype: boolean, shape: { shape: { dim: [] } } } },
      { name: "branch", op: "Switch", input: ["y", "flag"], attr: { T: { type: "DT_FLOAT" } } },
      { name: "result", op: "Merge", input: ["branch", "branch:1"], attr: { T: { type: "DT_FLOAT" } } },
    ]);
    const error = await freeze({ source, out: join(dirname(source), "artifact") }).catch((error: unknown) => error);
    expect(isCkptError(error, "UNSUPPORTED_OP") && error.details.ops).toMatchObject([
      { reason: expect.stringContaining("control flow"), layers: [expect.stringMatching(/branch|result/)] },
    ]);
  });

  it("gives the same when TensorFlow.js loads what was made of it", async () => {
    const { folder, source } = await freezeFirst(createDenseModel(3));
    const again = await freeze({ source, out: join(folder, "again"), formats: ["graph-model"] });
    const [first, second] = await Promise.all(
      [source, join(again.path, "graph-model", "model.json")].map((path) => loadGraphModel(path)),
    );
    expect(second?.inputNodes).toEqual(first?.inputNodes);
    expect(second?.outputNodes).toEqual(first?.outputNodes);
  });
});
