import type { FileEntry, TensorSpec } from "@ckpt/manifest";

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
  /** Its rows of real data, as its manifest describes them. */
  readonly probe?: readonly TensorSpec[];
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

/** A checkpoint that TensorFlow saved by name or by objects, with the graph that reads it. */
export interface TensorFlowCheckpointSource {
  readonly kind: "tensorflow-checkpoint";
  /** Its prefix: what `Saver.save` returned. */
  readonly path: string;
  /** The file with the graph: `.meta`, `.pb` or `.pbtxt`. */
  readonly graph: string;
  /** SHA-256 over the digests of the graph and of the checkpoint's files, in the order of their names. */
  readonly digest: string;
  /** By its name. */
  readonly step?: number;
  /** Of the checkpoint's files. */
  readonly sizeBytes: number;
}

/** A SavedModel of TensorFlow 1 or 2: a folder with `saved_model.pb`. */
export interface SavedModelSource {
  readonly kind: "saved-model";
  /** The folder. */
  readonly path: string;
  /** SHA-256 over the digests of `saved_model.pb` and of the files of its variables, in the order of their names. */
  readonly digest: string;
  /** Of the files of its variables. */
  readonly sizeBytes: number;
}

/** What TensorFlow wrote. */
export type TensorFlowSource = TensorFlowCheckpointSource | SavedModelSource;

/** What TensorFlow.js or its trainer wrote. */
export type TfjsModelSource = CheckpointSource | LayersModelSource | GraphModelSource;

/** One model to be frozen. */
export type ModelSource = TfjsModelSource | TensorFlowSource;

/** A folder that TensorFlow saved checkpoints in. */
export interface TensorFlowFolderSource {
  readonly kind: "tensorflow-folder";
  /** The folder. */
  readonly path: string;
  /** In the order of the `checkpoint` file, oldest first; at least one. */
  readonly checkpoints: readonly TensorFlowCheckpointSource[];
  /** Why each checkpoint that the folder lists was left out: its files or its graph are gone. */
  readonly skipped: readonly string[];
}

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
export type Source = ModelSource | RunSource | TensorFlowFolderSource;

/** Whether TensorFlow wrote it. */
export function isTensorFlowSource(source: ModelSource): source is TensorFlowSource {
  return source.kind === "tensorflow-checkpoint" || source.kind === "saved-model";
}
