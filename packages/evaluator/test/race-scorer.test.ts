import { CkptError } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import { findMetric } from "../src/metrics/registry.js";
import { prepareEvaluation } from "../src/prepare-evaluation.js";
import { createRaceScorer, type RaceScorer, type RaceScorerOptions } from "../src/race/race-scorer.js";
import { boundMetric } from "../src/race/row-losses.js";
import { makeFolder } from "./make-folder.js";
import { makeClassSplit } from "./make-split.js";
import { makeSpread } from "./make-spread.js";

const rows = Uint32Array.from({ length: 700 }, (_, index) => (index * 37) % 1000);

async function makeScorers(
  noises: readonly number[],
  ...variants: readonly Partial<RaceScorerOptions>[]
): Promise<readonly RaceScorer[]> {
  const { artifacts, evaluations, split } = await makeSpread(await makeFolder(), 1000, noises);
  const metric = boundMetric(findMetric("logLoss"));
  if (metric === undefined) throw new Error("log loss is bounded");
  const prepared = await Promise.all(
    artifacts.map((artifact) => prepareEvaluation({ artifact, evaluations, split, engine: "auto" })),
  );
  const options = { artifacts: prepared, split, metric, metrics: [metric], threadCount: 1, sessionCount: 10 };
  return variants.map((variant) => createRaceScorer({ ...options, ...variant }));
}

describe("RaceScorer", () => {
  it("gives the same losses however many threads and sessions there are, block by block", async () => {
    const scorers = await makeScorers(
      [0, 0.1, 0.2, 0.3, 0.4],
      {},
      { threadCount: 2, sessionCount: 2 },
      { threadCount: 7 },
    );
    const found = await Promise.all(
      scorers.map(async (scorer) => {
        const first = await scorer.score(rows.subarray(0, 300), [0, 1, 2, 3, 4]);
        // Two of them only: with threads enough each has several.
        const second = await scorer.score(rows.subarray(300), [3, 1]);
        const again = await scorer.score(rows.subarray(0, 300), [4, 3]);
        await scorer.close();
        return { first, second, again };
      }),
    );
    const [one] = found;
    expect(one?.first.map((losses) => losses?.length)).toEqual([300, 300, 300, 300, 300]);
    expect(one?.again).toEqual([one?.first[4], one?.first[3]]);
    for (const other of found) expect(other).toEqual(one);
  });

  it("gives nothing for a candidate of NaN, and the losses of the others", async () => {
    const [scorer] = await makeScorers([0, NaN, 0.1], {});
    const losses = await scorer?.score(rows, [0, 1, 2]);
    await scorer?.close();
    expect(losses?.map((own) => own?.length)).toEqual([700, undefined, 700]);
  });

  it("passes on what the split throws, also an error such as an artifact has", async () => {
    const error = new CkptError("DATA_UNREADABLE", { file: "rows.csv", reason: "gone" });
    const [scorer] = await makeScorers([0, 0.1], {
      split: { ...makeClassSplit(9), gather: () => Promise.reject(error) },
    });
    await expect(scorer?.score(rows.subarray(0, 9), [0, 1])).rejects.toBe(error);
    await scorer?.close();
  });
});
