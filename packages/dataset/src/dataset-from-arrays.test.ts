import { describe, expect, it } from "vitest";

import { datasetFromArrays, type DatasetFromArraysOptions } from "./dataset-from-arrays.js";

const base: DatasetFromArraysOptions = {
  inputs: { x: { values: [1, 2, 3, 4, 5, 6] } },
  label: { values: [0, 1, 1] },
  fractions: { train: 1 },
};
const failureOf = async (changes: Partial<DatasetFromArraysOptions>) =>
  datasetFromArrays({ ...base, ...changes }).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("datasetFromArrays", () => {
  it("copies the arrays into splits", async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const [split] = await datasetFromArrays({ ...base, inputs: { x: { values, scale: 2, shape: [2, 1] } } });
    values.fill(0);
    expect(await split!.read(0, 3)).toEqual({
      rowCount: 3,
      inputs: { x: { data: Float32Array.of(2, 4, 6, 8, 10, 12), shape: [3, 2, 1] } },
      labels: { data: Int32Array.of(0, 1, 1), shape: [3] },
    });
  });

  it("takes regression targets and more rows than one block", async () => {
    const rowCount = 5000;
    const values = Array.from({ length: rowCount * 2 }, (_, index) => index);
    const splits = await datasetFromArrays({
      inputs: { a: { values: values.slice(rowCount), dtype: "int32" }, b: { values } },
      targets: { values, outputs: 2 },
      fractions: { train: 0.5, test: 0.5 },
    });
    const batches = await Promise.all(splits.map((split) => split.read(0, split.rowCount)));
    expect(batches.map(({ labels }) => labels.shape[1])).toEqual([2, 2]);
    for (const { rowCount: count, inputs, labels } of batches) {
      expect(count).toBeGreaterThan(2000);
      // Every row stayed together: b is the targets, and a is the row's number + 5000.
      expect(labels.data).toEqual(inputs["b"]?.data);
      const rows = Array.from(
        labels.data.filter((_, index) => index % 2 === 0),
        (value) => value / 2,
      );
      expect(rows).toEqual(rows.toSorted((left, right) => left - right));
      expect([...(inputs["a"]?.data ?? [])]).toEqual(rows.map((row) => row + rowCount));
    }
    expect(batches.reduce((sum, batch) => sum + batch.rowCount, 0)).toBe(rowCount);
  });

  it("names the element that is not finite", async () => {
    expect(await failureOf({ inputs: { x: { values: [1, 2, 3, 4, 5, NaN] } } })).toMatchObject({
      code: "DATA_CELL_INVALID",
      details: { file: "arrays", row: 3, column: "inputs.x[1]", expected: "a finite number", found: "NaN" },
    });
    expect(await failureOf({ label: { values: [0, 2, 1], classes: 2 } })).toMatchObject({
      code: "DATA_CELL_INVALID",
      details: { row: 2, column: "label", found: "2" },
    });
  });

  it.each<[string, Partial<DatasetFromArraysOptions>, string]>([
    ["values that do not fill the rows", { inputs: { x: { values: [1, 2, 3, 4] } } }, "inputs.x.values"],
    ["no values", { inputs: { x: { values: [] } } }, "inputs.x.values"],
    ["no inputs", { inputs: {} }, "inputs"],
    ["no rows", { label: { values: [] } }, "label"],
    ["label and targets", { targets: { values: [1, 2, 3] } }, "label"],
    ["a shape of another size", { inputs: { x: { values: [1, 2, 3], shape: [2] } } }, "inputs.x.shape"],
  ])("refuses %s", async (_, changes, option) => {
    expect(await failureOf(changes)).toMatchObject({ code: "INVALID_OPTION", details: { option } });
  });

  it("refuses targets that do not fill the rows", async () => {
    const { inputs, fractions } = base;
    const failure = datasetFromArrays({ inputs, fractions, targets: { values: [1, 2, 3], outputs: 2 } });
    await expect(failure).rejects.toMatchObject({ details: { option: "targets.values" } });
  });
});
