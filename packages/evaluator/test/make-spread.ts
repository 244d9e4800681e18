import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { digestBytes, runLayout } from "@ckpt/manifest";

import { evaluateArtifact } from "../src/evaluate-artifact.js";
import { predictionFiles } from "../src/predictions.js";
import { createRandom } from "../src/statistics/random.js";
import { makeArtifact, readWeights } from "./make-artifact.js";
import { type MadeSplit, makeClassSplit } from "./make-split.js";

/** Artifacts of a run that are further and further from the one that labelled the rows, and its own folder. */
export interface Spread {
  readonly path: string;
  readonly artifacts: readonly string[];
  readonly evaluations: string;
  readonly split: MadeSplit;
}

/**
 * Makes real candidates in ONNX: the fixture classifier 2 with noise in its weights, as much as `noises` says of each.
 * The labels are what it predicts without.
 */
export async function makeSpread(path: string, rowCount: number, noises: readonly number[]): Promise<Spread> {
  const parent = join(path, runLayout.artifacts);
  const artifacts: string[] = [];
  for (const [index, noise] of noises.entries()) {
    const id = `step-${String(index + 1).padStart(8, "0")}`;
    artifacts.push(await makeArtifact(parent, id, 2, { onnx: await disturb(noise), step: index + 1 }));
  }
  const teacher = await makeArtifact(path, "teacher", 2);
  const blank = makeClassSplit(rowCount);
  const oracle = await evaluateArtifact({ artifact: teacher, split: blank, evaluations: join(path, "oracle") });
  const bytes = await readFile(join(oracle.path, predictionFiles.predictions));
  const predictions = new Float32Array(Uint8Array.from(bytes).buffer);
  for (let row = 0; row < rowCount; row++) {
    const scores = [...predictions.subarray(row * 3, row * 3 + 3)];
    blank.labels[row] = scores.indexOf(Math.max(...scores));
  }
  const split: MadeSplit = { ...blank, digest: digestBytes(`${rowCount} rows as the teacher labels them`) };
  return { path, artifacts, evaluations: join(path, runLayout.evaluations), split };
}

/** The bytes of the classifier with the same noise in its weights, times a factor; NaN makes all of them NaN. */
async function disturb(noise: number): Promise<Uint8Array> {
  const bytes = await readFile(new URL("fixtures/classifier-2.onnx", import.meta.url));
  const random = createRandom(7);
  for (const values of Object.values(await readWeights(2))) {
    const own = Buffer.from(Float32Array.from(values).buffer);
    const changed = Buffer.from(Float32Array.from(values, (value) => value + noise * (random() * 2 - 1)).buffer);
    changed.copy(bytes, bytes.indexOf(own));
  }
  return bytes;
}
