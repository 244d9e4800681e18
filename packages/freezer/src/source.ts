import type { FileEntry } from "@ckpt/manifest";

/** A committed checkpoint folder: its manifest was read and holds together; its files are checked when they are used. */
export interface CheckpointSource {
  readonly kind: "checkpoint";
  /** The folder. */
  readonly path: string;
  /** The checkpoint's digest. */
  readonly digest: string;
  readonly step: number;
  /** As its manifest lists them. */
  readonly files: readonly FileEntry[];
}

/** A TensorFlow.js LayersModel as `model.save` writes it: `model.json` with its weight shards beside it. */
export interface LayersModelSource {
  readonly kind: "layers-model";
  /** The `model.json`. */
  readonly path: string;
  /** SHA-256 over the digests of `model.json` and of its shards, in the order they are named. */
  readonly digest: string;
}

/** A TensorFlow.js GraphModel, another tool's or one of an artifact: `model.json` with its weight shards beside it. */
export interface GraphModelSource {
  readonly kind: "graph-model";
  /** The `model.json`. */
  readonly path: string;
  /** As that of a LayersModel. */
  readonly digest: string;
}

/** One model to be frozen. */
export type ModelSource = CheckpointSource | LayersModelSource | GraphModelSource;

/** A run with all its committed checkpoints. */
export interface RunSource {
  readonly kind: "run";
  /** The folder. */
  readonly path: string;
  /** By ascending step, averages after the trained checkpoint of their step; at least one. */
  readonly checkpoints: readonly CheckpointSource[];
  /** Why each folder that looks like a checkpoint was left out: its manifest is damaged. */
  readonly skipped: readonly string[];
}

/** What can be frozen. */
export type Source = ModelSource | RunSource;
