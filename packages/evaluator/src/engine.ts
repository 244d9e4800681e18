import type { ArtifactFormat, Signature, TensorData } from "@ckpt/manifest";

/** What can run an artifact, each named for the package it is made of. */
export const engineNames = ["onnxruntime-node", "tfjs", "tfjs-node"] as const;

/** One of {@link engineNames}. */
export type EngineName = (typeof engineNames)[number];

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, TensorData>>;

/** Runs artifacts of one format. */
export interface InferenceEngine {
  readonly name: EngineName;
  /** Version of the package, with what else decides the bits of its results. */
  readonly version: string;
  readonly format: ArtifactFormat;
  /** Whether it has threads of its own, one a session; else every session runs in the caller's. */
  readonly hasThreads: boolean;
  /** Whether a row's result was found to have the same bits whatever the rows beside it in a batch, and their number. */
  readonly isBatchInvariant: boolean;
  /**
   * Loads an artifact's file of {@link format}.
   *
   * @param artifact - The artifact's folder.
   * @param signature - Of the artifact: names and dtypes of what {@link Session.predict} takes and gives.
   * @param thread - Number of the engine's thread to run it on, from 0, the default; one that died is replaced.
   * @throws {CkptError} ENGINE_FAILED, or SIGNATURE_MISMATCH when the file has other names than the signature.
   */
  open(artifact: string, signature: Signature, thread?: number): Promise<Session>;
}

/** A loaded artifact. */
export interface Session {
  /**
   * Gives all outputs of the signature by name. The inputs stay the caller's and may be views.
   *
   * @throws {CkptError} ENGINE_FAILED.
   */
  predict(inputs: NamedTensors): Promise<NamedTensors>;
  /**
   * Gives the milliseconds that each of `count` inferences took, one after the other, measured beside the engine: without
   * the way to its thread and back.
   *
   * @throws {CkptError} ENGINE_FAILED.
   */
  time(inputs: NamedTensors, count: number): Promise<readonly number[]>;
  /** True once the session's thread is gone: what failed then may succeed in another session. */
  isLost(): boolean;
  close(): Promise<void>;
}
