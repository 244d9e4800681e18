import { describe, expect, it } from "vitest";

import { datasetFromArrays } from "./dataset-from-arrays.js";
import { findSharedRows } from "./find-shared-rows.js";

async function makeSplit(role: "train" | "select" | "test", rows: readonly number[], label = 0) {
  const [split] = await datasetFromArrays({
    inputs: { x: { values: rows.flatMap((row) => [row, -row]), shape: [2] }, y: { values: rows } },
    label: { values: rows.map(() => label), classes: 2 },
    fractions: { [role]: 1 },
  });
  return split!;
}

describe("findSharedRows", () => {
  it("counts the rows of a split that another one has, in any order and under any label", async () => {
    const train = await makeSplit("train", [1, 2, 3, 4, 5]);
    const select = await makeSplit("select", [6, 7, 8]);
    const test = await makeSplit("test", [9, 4, 10, 2, 6], 1);
    expect(await findSharedRows([train, select, test])).toEqual([
      { splits: ["test", "select"], sharedRows: 1, rowCount: 5 },
      { splits: ["test", "train"], sharedRows: 2, rowCount: 5 },
    ]);
  });

  it("finds none where one dataset was divided, in however many reads", async () => {
    const values = Array.from({ length: 20_000 }, (_, row) => row);
    const fractions = { train: 0.5, validation: 0.2, test: 0.3 };
    const splits = await datasetFromArrays({ inputs: { x: { values } }, targets: { values }, fractions });
    expect(await findSharedRows(splits)).toEqual([]);
    const [train, ...others] = splits;
    const renamed = { ...train!, name: "again", role: "test" as const };
    const shared = await findSharedRows([train!, ...others, renamed]);
    expect(shared).toEqual([{ splits: ["again", "train"], sharedRows: train!.rowCount, rowCount: train!.rowCount }]);
  });
});
