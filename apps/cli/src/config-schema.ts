import {
  type ColumnSlice,
  type ColumnTexts,
  engineNames,
  findMetric,
  type Metric,
  parseConstraint,
} from "@ckpt/evaluator";
import { artifactFormats, CkptError, isCkptError, type Issue, quantizations } from "@ckpt/manifest";
import type { LearningRateSchedule, RetentionPolicy, SavePolicy, StopPolicy } from "@ckpt/trainer";
import { z } from "zod";

import { type CkptConfig, soupKinds } from "./config.js";

const positiveInteger = z.int().positive();
const callable = <Value>(): z.ZodType<Value> =>
  z.custom<Value>((value) => typeof value === "function", "expected a function");
const columns = z.union(
  [z.string().min(1), z.instanceof(RegExp), z.array(z.string()).min(1)],
  "expected a column's name, a list of names, or a regular expression",
);
const folderName = z.string().regex(/^[\w][\w.-]*$/, "expected letters, digits, `_`, `-` and `.`, as a folder name");

const input = z.strictObject({
  columns,
  shape: z.array(positiveInteger).exactOptional(),
  scale: z.number().exactOptional(),
  dtype: z.enum(["float32", "int32"]).exactOptional(),
});

const names = z.array(z.string().min(1)).min(1);
const fraction = z.number().positive().max(1).exactOptional();

const data = z.strictObject({
  files: z
    .array(
      z.strictObject({
        path: z.string().min(1),
        fractions: z.strictObject({ train: fraction, validation: fraction, select: fraction, test: fraction }),
      }),
    )
    .min(1),
  inputs: z.record(z.string(), input),
  label: z
    .strictObject({
      column: z.string(),
      classes: z
        .union([positiveInteger, z.array(z.string())], "expected the number of classes or the list of their names")
        .exactOptional(),
    })
    .exactOptional(),
  targets: columns.exactOptional(),
  columns: z.array(z.string().min(1)).exactOptional(),
  seed: z.int().exactOptional(),
});

const policy = <Value>(what: string, method: string): z.ZodType<Value> =>
  z.custom<Value>(
    (value) => typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function",
    `expected ${what}`,
  );

/** Text that is read elsewhere: the sentence of whoever reads it says what is wrong with it. */
const textReadBy = (read: (text: string) => unknown): z.ZodType<string> =>
  z.string().superRefine((text, context) => {
    try {
      read(text);
    } catch (error) {
      if (!isCkptError(error, "METRIC_NOT_FOUND") && !isCkptError(error, "INVALID_OPTION")) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });

const ownMetric = z.custom<Metric>(
  (value) =>
    typeof value === "object" &&
    value !== null &&
    ["name", "kind", "task", "mode"].every((field) => typeof Reflect.get(value, field) === "string"),
  "expected a metric's name, or a metric such as createMeanMetric makes",
);

/** Zod's own number is finite. */
const boundary = z.custom<number>((value) => typeof value === "number", "expected a number, or an infinite one");
const sliceValue = z.union([z.string(), z.number()]);
const columnSlice: z.ZodType<ColumnSlice> = z
  .strictObject({
    column: z.string().min(1),
    equals: sliceValue.exactOptional(),
    in: z.array(sliceValue).min(1).exactOptional(),
    range: z.tuple([boundary, boundary]).exactOptional(),
  })
  .refine(
    (value) => Object.keys(value).length <= 2,
    "expected one of equals, in and range, or none for a slice of each value",
  )
  .refine(({ range: [from, to] = [0, 1] }) => from < to, "expected a range from a smaller to a larger number");
const slice = z.union(
  [columnSlice, callable<(row: ColumnTexts) => boolean>()],
  "expected a column with equals, in, range or none of them, or a predicate of a row",
);

const configSchema: z.ZodType<CkptConfig> = z.strictObject({
  name: folderName,
  runs: z.string().min(1).exactOptional(),
  seed: z.int().exactOptional(),
  backend: z.enum(["auto", "tensorflow", "wasm", "cpu"]).exactOptional(),
  data,
  model: callable<CkptConfig["model"]>(),
  train: z.strictObject({
    epochs: positiveInteger,
    batchSize: positiveInteger,
    measureEverySteps: positiveInteger.exactOptional(),
    save: policy<SavePolicy>("a save policy, such as onImprovement({ monitor: 'val_loss' })", "shouldSave"),
    stop: policy<StopPolicy>("a stop policy, such as earlyStopping({ monitor: 'val_loss', patience: 5 })", "advance")
      .refine((value) => !("shouldSave" in value), "expected a stop policy, found a save policy")
      .exactOptional(),
    learningRate: policy<LearningRateSchedule>("a schedule, such as cosineDecay({ ... })", "rateAt").exactOptional(),
    whenSaving: z.enum(["wait", "skip", "replace"]).exactOptional(),
    keep: z.array(policy<RetentionPolicy>("a retention policy, such as keepBest(3, ...)", "select")).exactOptional(),
    maxToKeep: positiveInteger.exactOptional(),
  }),
  freeze: z
    .strictObject({
      formats: z.array(z.enum(artifactFormats)).min(1).exactOptional(),
      tolerance: z.number().positive().exactOptional(),
      quantize: z
        .array(z.strictObject({ as: z.enum(quantizations), weights: z.string().min(1) }))
        .min(1)
        .exactOptional(),
      maxUnrolledSteps: z.int().nonnegative().exactOptional(),
      inputs: names.exactOptional(),
      outputs: names.exactOptional(),
      furtherSignatures: z.record(z.string(), z.strictObject({ outputs: names })).exactOptional(),
    })
    .exactOptional(),
  evaluate: z
    .strictObject({
      split: z.string().exactOptional(),
      metrics: z
        .array(z.union([textReadBy(findMetric), ownMetric]))
        .min(1)
        .exactOptional(),
      constraints: z.array(textReadBy(parseConstraint)).exactOptional(),
      engine: z.enum(["auto", ...engineNames]).exactOptional(),
      batchSize: positiveInteger.exactOptional(),
      race: z.boolean().exactOptional(),
      weights: z.string().min(1).exactOptional(),
      groupBy: z.string().min(1).exactOptional(),
      slices: z.record(z.string().min(1), slice).exactOptional(),
    })
    .exactOptional(),
  soups: z.array(z.enum(soupKinds)).exactOptional(),
});

/**
 * Checks what a configuration file exports.
 *
 * @throws {CkptError} CONFIG_INVALID with every problem, each by its dotted path.
 */
export function parseConfig(value: unknown, path: string): CkptConfig {
  const result = configSchema.safeParse(value);
  const issues = result.success
    ? findUnfitMetrics(result.data)
    : result.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  if (result.success && issues.length === 0) return result.data;
  throw new CkptError("CONFIG_INVALID", { path, issues });
}

/** Found out here, and not after training and freezing. */
function findUnfitMetrics({ data, evaluate }: CkptConfig): readonly Issue[] {
  const task = data.targets === undefined ? "classification" : "regression";
  return (evaluate?.metrics ?? []).flatMap((wanted, index) => {
    const metric = typeof wanted === "string" ? findMetric(wanted) : wanted;
    if (metric.task === task) return [];
    return [
      { path: `evaluate.metrics.${index}`, message: `${metric.name} is of ${metric.task}, the data is for ${task}` },
    ];
  });
}
