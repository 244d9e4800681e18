import { createMeanMetric } from "@ckpt/evaluator";
import { CkptError } from "@ckpt/manifest";
import { keepBest, onImprovement } from "@ckpt/trainer";
import { describe, expect, it } from "vitest";

import { parseConfig } from "./config-schema.js";

const valid = {
  name: "dense",
  data: {
    files: [{ path: "a.csv", fractions: { train: 0.5, validation: 0.5 } }],
    inputs: { pixels: { columns: /^p/, shape: [8, 8, 1], scale: 0.0625 } },
    label: { column: "digit", classes: 10 },
  },
  model: () => ({}),
  train: {
    epochs: 2,
    batchSize: 8,
    save: onImprovement({ monitor: "val_loss" }),
    keep: [keepBest(1, { monitor: "val_loss" })],
  },
};

/** The problems found in a value, by their paths. */
function listIssues(value: unknown): Readonly<Record<string, string>> {
  try {
    parseConfig(value, "ckpt.config.ts");
  } catch (error) {
    if (!(error instanceof CkptError) || error.code !== "CONFIG_INVALID") throw error;
    const { path, issues } = (error as CkptError<"CONFIG_INVALID">).details;
    expect(path).toBe("ckpt.config.ts");
    return Object.fromEntries(issues.map((issue) => [issue.path, issue.message]));
  }
  return {};
}

describe("parseConfig", () => {
  it("takes a valid configuration as it is, its functions, policies and expressions included", () => {
    const parsed = parseConfig(valid, "ckpt.config.ts");
    expect(parsed).toEqual(valid);
    expect(parsed.model).toBe(valid.model);
    expect(parsed.train.save).toBe(valid.train.save);
    expect(parsed.data.inputs["pixels"]?.columns).toBe(valid.data.inputs.pixels.columns);
  });

  it("takes every optional field", () => {
    const full = {
      ...valid,
      runs: "out",
      seed: -1,
      backend: "auto",
      data: { ...valid.data, seed: 3 },
      train: { ...valid.train, measureEverySteps: 5, maxToKeep: 9 },
      freeze: {
        formats: ["graph-model"],
        tolerance: 1e-4,
        quantize: [{ as: "u8", weights: "*" }],
        maxUnrolledSteps: 0,
        inputs: ["hidden"],
        outputs: ["classes"],
        furtherSignatures: { embed: { outputs: ["hidden"] } },
      },
      evaluate: { split: "select", metrics: ["accuracy", "logLoss"], engine: "tfjs", batchSize: 32 },
    };
    expect(parseConfig(full, "ckpt.config.ts")).toEqual(full);
  });

  it("lists all problems at once, each by its dotted path", () => {
    const issues = listIssues({
      ...valid,
      name: "../escape",
      backend: "gpu",
      data: {
        files: [{ path: "a.csv", fractions: { train: 1.5, holdout: 0.1 } }],
        inputs: { pixels: { columns: 5, dtype: "float64" } },
        label: { column: "digit", classes: "ten" },
      },
      model: "dense",
      train: { epochs: 0, batchSize: 2.5, save: "always", keep: [valid.train.save] },
      freeze: { formats: ["tflite"], tolerance: 0, quantize: [{ as: "u4", weights: "*" }] },
      evaluate: { metrics: ["accuracy", "acuracy"], engine: "cuda" },
      extra: 1,
    });
    expect(issues).toEqual({
      "": expect.stringContaining(`"extra"`),
      name: expect.stringContaining("as a folder name"),
      backend: expect.stringContaining(`"wasm"`),
      "data.files.0.fractions": expect.stringContaining(`"holdout"`),
      "data.files.0.fractions.train": expect.stringContaining("<=1"),
      "data.inputs.pixels.columns": expect.stringContaining("regular expression"),
      "data.inputs.pixels.dtype": expect.stringContaining(`"int32"`),
      "data.label.classes": expect.stringContaining("number of classes"),
      model: expect.stringContaining("a function"),
      "train.epochs": expect.stringContaining(">0"),
      "train.batchSize": expect.stringContaining("int"),
      "train.save": expect.stringContaining("a save policy"),
      "train.keep.0": expect.stringContaining("a retention policy"),
      "freeze.formats.0": expect.stringContaining(`"saved-model"`),
      "freeze.quantize.0.as": expect.stringContaining(`"u16"`),
      "freeze.tolerance": expect.stringContaining(">0"),
      "evaluate.metrics.1": expect.stringContaining("no metric acuracy; there are: accuracy"),
      "evaluate.engine": expect.stringContaining(`"onnxruntime-node"`),
    });
  });

  it("refuses an option that a metric cannot have", () => {
    expect(listIssues({ ...valid, evaluate: { metrics: ["topKAccuracy@0", "topKAccuracy@3"] } })).toEqual({
      "evaluate.metrics.0": "topKAccuracy@0: expected a whole number from 1 behind @, found 0",
    });
  });

  it("refuses a metric of the other task before anything is trained", () => {
    const own = createMeanMetric({
      name: "confidence",
      aliases: [],
      task: "classification",
      mode: "max",
      range: [0, 1],
      needsProbabilities: true,
      scoreRow: ({ predictions }, row) => predictions[row] ?? 0,
    });
    expect(listIssues({ ...valid, evaluate: { metrics: [own, "accuracy"] } })).toEqual({});
    expect(listIssues({ ...valid, evaluate: { metrics: [{ ...own, task: "regression" }] } })).toEqual({
      "evaluate.metrics.0": "confidence is of regression, the data is for classification",
    });
    expect(listIssues({ ...valid, evaluate: { constraints: ["bytes<=2MB", "p95<=2MB"] } })).toEqual({
      "evaluate.constraints.1": "constraint: expected p95 in a unit of time, found p95<=2MB",
    });
    expect(listIssues({ ...valid, evaluate: { metrics: ["accuracy", "mse"] } })).toEqual({
      "evaluate.metrics.1": "mse is of regression, the data is for classification",
    });
  });

  it("takes slices by a column or a predicate, and says what is wrong with others", () => {
    const slices = {
      site: { column: "site" },
      old: { column: "age", range: [60, Infinity] },
      some: { column: "site", in: ["a", 3] },
      own: () => true,
    };
    expect(listIssues({ ...valid, evaluate: { weights: "w", groupBy: "g", slices } })).toEqual({});
    const wrong = {
      both: { column: "age", equals: 1, in: [2] },
      turned: { column: "age", range: [2, 1] },
      text: "site",
    };
    const message = expect.stringContaining("expected") as string;
    expect(listIssues({ ...valid, evaluate: { slices: wrong } })).toEqual({
      "evaluate.slices.both": message,
      "evaluate.slices.turned": message,
      "evaluate.slices.text": message,
    });
  });

  it.each([[undefined], [null], [[]], ["text"], [{}]])("refuses %j", (value) => {
    expect(Object.keys(listIssues(value)).length).toBeGreaterThan(0);
  });
});
