import { join } from "node:path";

import {
  digestBytes,
  type EvaluationManifest,
  evaluationManifestType,
  manifestNames,
  stageFolder,
} from "@ckpt/manifest";

import { encodeValues, predictionFiles } from "../src/predictions.js";

/** Commits an evaluation of given predictions `[rows, columns]` or of another shape of a row, and returns its folder. */
export async function makeEvaluation(
  parent: string,
  name: string,
  predictions: readonly number[],
  columns: number | readonly number[],
  labels: Int32Array | Float32Array,
): Promise<string> {
  const folder = join(parent, name);
  const shape = typeof columns === "number" ? [columns] : columns;
  const rowCount = predictions.length / shape.reduce((product, size) => product * size, 1);
  const labelWidth = labels.length / rowCount;
  const digest = digestBytes(name);
  const stage = await stageFolder(folder);
  await stage.write(predictionFiles.predictions, encodeValues(Float32Array.from(predictions)));
  await stage.write(predictionFiles.labels, encodeValues(labels));
  await stage.commit(manifestNames.evaluation, (files): EvaluationManifest => ({
    kind: evaluationManifestType.kind,
    schemaVersion: evaluationManifestType.schemaVersion,
    artifact: { id: name, digest, format: "onnx" },
    split: { name: "select", role: "select", rowCount, digest },
    engine: { name: "onnxruntime-node", version: "1.0.0" },
    output: { name: "output", dtype: "float32", shape: [rowCount, ...shape] },
    labels:
      labels instanceof Int32Array
        ? { name: "labels", dtype: "int32", shape: labelWidth === 1 ? [rowCount] : [rowCount, labelWidth] }
        : { name: "labels", dtype: "float32", shape: [rowCount, labelWidth] },
    files,
  }));
  return folder;
}
