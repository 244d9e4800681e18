import { captureModel, type Graph, type Node } from "@ckpt/graph";
import { type ArtifactFormat, artifactFormats, isCkptError } from "@ckpt/manifest";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";

import { createDenseModel } from "../test/models.js";
import { type EmittedFile, emitFormats } from "./emit-formats.js";

/** A graph whose activations are operations nobody knows. */
function createUnknownGraph(): Graph {
  const { graph } = captureModel(createDenseModel());
  const unknown: Readonly<Record<string, string>> = { Relu: "Unheard", Softmax: "Unseen" };
  const rename = (node: Node): Node => ({ ...node, op: unknown[node.op] ?? node.op });
  return { ...graph, nodes: graph.nodes.map(rename) };
}

function emit(graph: Graph, formats: readonly ArtifactFormat[]): readonly EmittedFile[] {
  return [...emitFormats(graph, { formats, tolerance: 1e-5 }, "digest")];
}

function refuse(graph: Graph, formats: readonly ArtifactFormat[]): unknown {
  try {
    return emit(graph, formats);
  } catch (error) {
    return error;
  }
}

describe("emitFormats", () => {
  it("cuts the weights of a GraphModel into shards of 4 MiB that its model.json names in order", () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1100], units: 1000, useBias: false })] });
    const files = emit(captureModel(model).graph, ["graph-model"]);

    expect(files.map(({ path }) => path)).toEqual([
      "graph-model/model.json",
      "graph-model/group1-shard1of2.bin",
      "graph-model/group1-shard2of2.bin",
    ]);
    const [json, first, second] = files.map(({ data }) => data);
    const { weightsManifest } = JSON.parse(json as string) as tf.io.ModelJSON;
    expect(weightsManifest[0]?.paths).toEqual(["group1-shard1of2.bin", "group1-shard2of2.bin"]);
    expect(first).toHaveLength(4 * 1024 * 1024);
    const sizes = tf.io.getWeightSpecs(weightsManifest).map(({ shape }) => 4 * tf.util.sizeFromShape(shape));
    expect((first?.length ?? 0) + (second?.length ?? 0)).toBe(sizes.reduce((sum, size) => sum + size));
  });

  it("lists what any of the formats cannot express at once, each operation once per format", () => {
    const error = refuse(createUnknownGraph(), artifactFormats);
    if (!isCkptError(error, "UNSUPPORTED_OP")) throw error;
    const found = error.details.ops.map(({ op, reason, layers }) => `${op} ${reason.split(":")[0]} ${layers.join()}`);

    expect(new Set(found).size).toBe(found.length);
    for (const format of error.details.format.split(", ")) {
      expect(found).toContain(`Unheard ${format} hidden`);
      expect(found).toContain(`Unseen ${format} classes`);
    }
    expect(error.details.format.split(", ")).toContain("ONNX");
    expect(error.details.format.split(", ").length).toBeGreaterThan(1);
  });

  it("says nothing of formats that were not asked for", () => {
    const error = refuse(createUnknownGraph(), ["onnx"]);
    expect(isCkptError(error, "UNSUPPORTED_OP") && error.details.format).toBe("ONNX");
  });
});
