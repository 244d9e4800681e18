import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createFolder, removeProjects } from "./project.js";
import { requireCkpt, runCkpt } from "./run-ckpt.js";

const scale = 0.5;
const columns = ["x", "y"];
const dataOptions = ["--data", "heldout.csv", "--input", "point=/^[xy]$/", "--label", "class", "--scale", `${scale}`];

let folder: string;
let rows: readonly (readonly [x: number, y: number, label: number])[];
let expected: Readonly<Record<string, Scores>>;

interface Scores {
  readonly accuracy: number;
  readonly logLoss: number;
}

beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = await createFolder();
  rows = Array.from({ length: 60 }, (_, index) => [Math.sin(index), Math.cos(index * 1.7), index % 3]);
  const lines = rows.map((row) => row.join(","));
  await writeFile(join(folder, "heldout.csv"), [`${columns.join(",")},class`, ...lines, ""].join("\n"));
  expected = { first: await saveModel("first", 1), second: await saveModel("second", 2) };
});
afterAll(removeProjects);

describe("ckpt freeze of a LayersModel that no run made", () => {
  it("writes the artifact to --out, in the formats asked for, and says how far it is from the model", async () => {
    const { stdout } = await requireCkpt(["freeze", "first/model.json", "--out", "frozen/first"], { cwd: folder });
    expect(stdout).toMatch(
      /^artifact +formats +size {2}max error\nfrozen\/first {2}graph-model,graph-def,saved-model,onnx +\S+ kB +\d\.\de[+-]\d\n$/,
    );
    const given = ["freeze", "second/model.json", "--out", "frozen/second", "--formats", "onnx,graph-model", "--json"];
    const { artifacts } = JSON.parse((await requireCkpt(given, { cwd: folder })).stdout) as {
      readonly artifacts: readonly object[];
    };
    expect(artifacts).toHaveLength(1);
    expect(artifacts[0]).toMatchObject({
      path: "frozen/second",
      source: { kind: "layers-model" },
      isReused: false,
      formats: { "graph-model": "frozen/second/graph-model/model.json", onnx: "frozen/second/model.onnx" },
      unverified: [],
    });
    expect((await readdir(join(folder, "frozen/second"))).toSorted()).toEqual([
      "artifact.json",
      "graph-model",
      "model.onnx",
    ]);
  });

  it("refuses what is further from the model than the tolerance, with 3 and the layer where it begins", async () => {
    const given = ["freeze", "first/model.json", "--out", "frozen/exact", "--tolerance", "0"];
    const { code, stderr } = await runCkpt(given, { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toMatch(/error PARITY_FAILED: .* in \S+, tolerance 0; the first layer that differs is \S+, by \d/);
    expect(await readdir(join(folder, "frozen"))).not.toContain("exact");
  });

  it("refuses a format that there is not, with 2, and a folder that is no model, with 3", async () => {
    const [format, source] = await Promise.all([
      runCkpt(["freeze", "first/model.json", "--formats", "onnx,tflite"], { cwd: folder }),
      runCkpt(["freeze", "."], { cwd: folder }),
    ]);
    expect(format.code).toBe(2);
    expect(format.stderr).toContain(
      "--formats: expected graph-model, graph-def, saved-model, onnx, graph-def-text, found tflite",
    );
    expect(source.code).toBe(3);
    expect(source.stderr).toContain("error MODEL_UNREADABLE");
  });
});

describe("ckpt evaluate of a folder of artifacts outside any run", () => {
  let onnx: EvaluateDocument;

  it("scores them on the rows of a file, by the metric asked for", async () => {
    const byLogLoss = await evaluate("frozen", "--metric", "logLoss", "--metric", "accuracy");
    expect(byLogLoss.metric).toEqual({ name: "logLoss", mode: "min" });
    expect(byLogLoss.split).toMatchObject({ rowCount: 60, role: "test" });
    const order = Object.entries(expected).toSorted(([, a], [, b]) => a.logLoss - b.logLoss);
    expect(byLogLoss.candidates.map(({ id }) => id)).toEqual(order.map(([id]) => id));
    for (const { id, metrics } of byLogLoss.candidates) {
      expect(metrics["accuracy"]?.value).toBeCloseTo(expected[id]?.accuracy ?? Number.NaN, 10);
      expect(metrics["logLoss"]?.value).toBeCloseTo(expected[id]?.logLoss ?? Number.NaN, 5);
    }
    expect(byLogLoss.candidates[0]).toMatchObject({ rank: 1, status: "best", isReused: false });

    // The same predictions rank otherwise by another metric, and are not made again.
    onnx = await evaluate("frozen");
    expect(onnx.metric.name).toBe("accuracy");
    expect(onnx.candidates.every(({ isReused }) => isReused)).toBe(true);
    expect(await readdir(join(folder, "frozen/evaluations"))).toHaveLength(2);
  });

  it("gives the same log loss in TensorFlow.js as in ONNX Runtime", async () => {
    const tfjs = await evaluate("frozen", "--engine", "tfjs");
    expect(tfjs.candidates).toHaveLength(2);
    for (const candidate of tfjs.candidates) {
      const other = onnx.candidates.find(({ id }) => id === candidate.id);
      // Not the stored predictions of the other engine.
      expect(candidate.predictions).not.toBe(other?.predictions);
      expect(candidate.evaluation).not.toBe(other?.evaluation);
      expect(await readEngine(candidate.predictions)).toBe("tfjs");
      expect(await readEngine(other?.predictions ?? "")).toBe("onnxruntime-node");
      const difference = (candidate.metrics["logLoss"]?.value ?? 1) - (other?.metrics["logLoss"]?.value ?? 0);
      expect(Math.abs(difference)).toBeLessThan(1e-6);
    }
  });

  it("says what is missing where nothing says what to score on", async () => {
    const outcome = await runCkpt(["evaluate", "frozen"], { cwd: folder });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain("--data: expected a file, or --config, since these artifacts belong to no run");
  });
});

interface EvaluateDocument {
  readonly metric: { readonly name: string; readonly mode: string };
  readonly split: object;
  readonly candidates: readonly {
    readonly id: string;
    readonly metrics: Readonly<Record<string, { readonly value: number }>>;
    readonly evaluation: string;
    readonly predictions: string;
    readonly isReused: boolean;
  }[];
}

async function evaluate(target: string, ...options: readonly string[]): Promise<EvaluateDocument> {
  const { stdout } = await requireCkpt(["evaluate", target, ...dataOptions, ...options, "--json"], { cwd: folder });
  return JSON.parse(stdout) as EvaluateDocument;
}

async function readEngine(evaluation: string): Promise<string> {
  const text = await readFile(join(folder, evaluation, "evaluation.json"), "utf8");
  return (JSON.parse(text) as { readonly engine: { readonly name: string } }).engine.name;
}

/** Saves a model as tfjs does, and scores it with nothing but tfjs. */
async function saveModel(name: string, seed: number): Promise<Scores> {
  const kernelInitializer = tf.initializers.randomNormal({ seed, stddev: 1.5 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [2], units: 5, activation: "tanh", kernelInitializer }),
      tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer }),
    ],
  });
  await mkdir(join(folder, name));
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData }) => {
      if (!(weightData instanceof ArrayBuffer)) throw new TypeError("expected one buffer of weights");
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      await writeFile(join(folder, name, "model.json"), JSON.stringify({ modelTopology, weightsManifest }));
      await writeFile(join(folder, name, "weights.bin"), new Uint8Array(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const input = tf.tensor2d(rows.map(([x, y]) => [x * scale, y * scale]));
  const output = model.predict(input);
  if (Array.isArray(output)) throw new TypeError("expected one output");
  const probabilities = (await output.array()) as number[][];
  tf.dispose([input, output]);
  model.dispose();
  const hits = rows.filter(
    ([, , label], row) => probabilities[row]?.indexOf(Math.max(...probabilities[row])) === label,
  );
  const losses = rows.map(([, , label], row) => -Math.log(probabilities[row]?.[label] ?? Number.NaN));
  return { accuracy: hits.length / rows.length, logLoss: losses.reduce((sum, loss) => sum + loss, 0) / rows.length };
}
