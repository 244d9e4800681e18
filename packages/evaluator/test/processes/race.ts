import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { digestBytes, type Split } from "@ckpt/manifest";

import { raceArtifacts } from "../../src/race/race-artifacts.js";
import { makeClassSplit } from "../make-split.js";

/** Races the artifacts named on `rows` rows, prints each look, each of which takes `delay`, and last the race's digest. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    evaluations: { type: "string", default: "" },
    rows: { type: "string", default: "" },
    delay: { type: "string", default: "0" },
  },
});

const whole = makeClassSplit(Number(values.rows));
const split: Split = {
  ...whole,
  digest: digestBytes(`${values.rows} rows`),
  gather: async (indices) => {
    await sleep(Number(values.delay));
    return whole.gather(indices);
  },
};
const { race } = await raceArtifacts({
  artifacts: positionals,
  split,
  evaluations: values.evaluations,
  isDemanded: true,
  onProgress: ({ rowsSeen }) => console.log(`look ${rowsSeen}`),
});
console.log(race?.digest);
