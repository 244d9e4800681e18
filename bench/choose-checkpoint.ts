import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

import { selectBackend } from "@ckpt/backend";
import { datasetFromArrays } from "@ckpt/dataset";
import { computeMetrics, evaluateArtifacts } from "@ckpt/evaluator";
import { freezeFolder } from "@ckpt/freezer";
import type { ArtifactFormat } from "@ckpt/manifest";

import { measureMs } from "./measure-ms.js";

// What `peers/tf-checkpoints.py choose` does, by ckpt; a process of its own, for tensorflow-checkpoints.ts.
// Arguments: the folder of the checkpoints, then the formats. Prints JSON as the peer does.

async function choose(folder: string, formats: readonly ArtifactFormat[]): Promise<void> {
  await selectBackend("wasm");
  const importMs = performance.now();
  const freezeMs: number[] = [];
  let before = performance.now();
  const artifacts = await freezeFolder({
    folder,
    outputs: ["probs"],
    formats,
    onProgress: ({ kind }) => {
      if (kind !== "artifact") return;
      freezeMs.push(performance.now() - before);
      before = performance.now();
    },
  });
  const rows = new Float32Array((await readFile(join(folder, "rows.f32"))).buffer);
  const labels = new Int32Array((await readFile(join(folder, "labels.i32"))).buffer);
  const dataMs = performance.now();
  const [split] = await datasetFromArrays({
    inputs: { inp: { values: rows } },
    label: { values: labels, classes: 10 },
    fractions: { select: 1 },
  });
  if (split === undefined) throw new TypeError("a dataset has a split");
  let best = { name: "", accuracy: -1 };
  const splitMs = performance.now() - dataMs;
  const scored = formats.includes("onnx") ? artifacts.map(({ path }) => path) : [];
  const evaluateMs = await measureMs(() =>
    evaluateArtifacts({
      artifacts: scored,
      split,
      evaluations: join(folder, "evaluations"),
      onOutcome: async (outcome) => {
        if ("failure" in outcome) throw outcome.failure;
        const { metrics } = await computeMetrics(outcome.evaluation.path, ["accuracy"]);
        const accuracy = metrics["accuracy"]?.value ?? 0;
        const name = outcome.artifact;
        // Outcomes come in any order; of equal ones the first in the list is chosen, as by the peer.
        const isEarlier = scored.indexOf(name) < scored.indexOf(best.name);
        if (accuracy > best.accuracy || (accuracy === best.accuracy && isEarlier)) best = { name, accuracy };
      },
    }),
  );
  console.log(
    JSON.stringify({ ...best, importMs, splitMs, freezeMs, evaluateMs: scored.map(() => evaluateMs / scored.length) }),
  );
}

const [folder = "", ...formats] = process.argv.slice(2);
await choose(folder, formats as ArtifactFormat[]);
