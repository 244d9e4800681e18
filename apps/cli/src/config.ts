import type { BackendRequest } from "@ckpt/backend";
import type { LoadDatasetOptions } from "@ckpt/dataset";
import type { ColumnScoring, EngineChoice, Metric } from "@ckpt/evaluator";
import type { ArtifactFormat, QuantizeRule } from "@ckpt/manifest";
import type { LearningRateSchedule, RetentionPolicy, SavePolicy, StopPolicy, WhenSaving } from "@ckpt/trainer";
import type { LayersModel } from "@tensorflow/tfjs";

/** A run from data to pick, as written in `ckpt.config.ts`. Paths are relative to that file. */
export interface CkptConfig {
  /** The run's name and the name of its folder. */
  readonly name: string;
  /** Folder that holds the run. Default: `runs`. */
  readonly runs?: string;
  /** Decides initial weights, order of the rows and dropout. Default: 0. */
  readonly seed?: number;
  /** Default: `auto`. */
  readonly backend?: BackendRequest;
  /** Where rows come from and how they are divided into train, validation, select and test. */
  readonly data: LoadDatasetOptions;
  /** Makes the compiled model. Called with `Math.random` seeded. */
  readonly model: () => LayersModel | Promise<LayersModel>;
  readonly train: TrainConfig;
  readonly freeze?: FreezeConfig;
  readonly evaluate?: EvaluateConfig;
  /** Averages of checkpoints that `ckpt run` adds as candidates. Default: none. */
  readonly soups?: readonly SoupKind[];
}

/** How long to train, when to measure and save, and what to keep. */
export interface TrainConfig {
  readonly epochs: number;
  /** Rows of one optimizer update. */
  readonly batchSize: number;
  /** Optimizer updates between two measurements on the validation split. Default: once an epoch. */
  readonly measureEverySteps?: number;
  readonly save: SavePolicy;
  /** When to stop before the last epoch. Default: never. */
  readonly stop?: StopPolicy;
  /** The learning rate of each update. Default: the optimizer's own. */
  readonly learningRate?: LearningRateSchedule;
  /** What becomes of a save that is due while another is being written. Default: `wait`. */
  readonly whenSaving?: WhenSaving;
  /** Default: everything, up to `maxToKeep`. */
  readonly keep?: readonly RetentionPolicy[];
  /** Default: 150. */
  readonly maxToKeep?: number;
}

/** What to freeze to. */
export interface FreezeConfig {
  /** Default: all but `graph-def-text`. */
  readonly formats?: readonly ArtifactFormat[];
  /** Largest accepted absolute error against the checkpoint. Default: 1e-5; more for a quantized GraphModel. */
  readonly tolerance?: number;
  /** How the GraphModel stores weights, by patterns of their names; the last that matches counts. Default: as floats. */
  readonly quantize?: readonly QuantizeRule[];
  /** Recurrences of no more steps stand in the TensorFlow formats step by step, longer ones as a loop. Default: 200. */
  readonly maxUnrolledSteps?: number;
  /** Layers whose values become the inputs. Default: the model's own inputs. */
  readonly inputs?: readonly string[];
  /** Layers or outputs to end at. Default: the model's own outputs. */
  readonly outputs?: readonly string[];
  /** Signatures of the SavedModel besides `serving_default`, by key. Default: none. */
  readonly furtherSignatures?: Readonly<Record<string, { readonly outputs: readonly string[] }>>;
}

/** Averages that are made of scored checkpoints: of all, or of those with which the mean does not get worse. */
export type SoupKind = "uniform" | "greedy";

/** All of them. */
export const soupKinds: readonly ["uniform", "greedy"] = ["uniform", "greedy"];

/** How candidates are scored and ranked; by `weights`, `groupBy` and `slices`, how rows count. */
export interface EvaluateConfig extends ColumnScoring {
  /** Split to rank on. Default: `select`. */
  readonly split?: string;
  /** Metrics to compute, by name or your own; the first one ranks. Default: accuracy and logLoss, or mse and mae for targets. */
  readonly metrics?: readonly (string | Metric)[];
  /** What candidates have to keep to, such as `bytes<=2MB` or `logLoss<0.2`. Default: nothing. */
  readonly constraints?: readonly string[];
  /** Default: `auto`. */
  readonly engine?: EngineChoice;
  /** Rows per inference. Default: measured; 256 for tfjs. */
  readonly batchSize?: number;
  /** Whether a race drops losers before they are scored on all rows. Default: where it pays, but not with `soups`. */
  readonly race?: boolean;
}

/** Gives a configuration its type; returns it as it is. */
export function defineConfig(config: CkptConfig): CkptConfig {
  return config;
}
