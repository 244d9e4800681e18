import type { ArtifactFormat, ParityRecord } from "@ckpt/manifest";

import type { FreezeResult } from "./freeze-options.js";

/** Something a freeze has finished, in plain values; for progress output. */
export type FreezeProgress =
  /** A topology was captured. Happens once for all checkpoints that share it. */
  | { readonly kind: "captured"; readonly source: string; readonly topologyDigest: string; readonly nodeCount: number }
  /**
   * TensorFlow.js computes something in this model wrong on the current backend. The artifact is right, and is compared
   * with the model computed right. Once for all checkpoints that share a topology.
   */
  | { readonly kind: "corrected"; readonly source: string; readonly backend: string; readonly reason: string }
  /** A format was compared with the source's own model; the largest error over all outputs. */
  | {
      readonly kind: "verified";
      readonly source: string;
      readonly format: ArtifactFormat;
      readonly engine: string;
      readonly maxAbsoluteError: number;
    }
  /** A format is written without being compared, since what runs it is not installed. */
  | {
      readonly kind: "unverified";
      readonly source: string;
      readonly format: ArtifactFormat;
      readonly reason: string;
    }
  /** A checkpoint of a run is left out: the run, which is being trained, has removed it since it was listed. */
  | { readonly kind: "skipped"; readonly source: string; readonly step: number; readonly reason: string }
  /** A source could not be frozen: the error that follows is of this one. */
  | { readonly kind: "failed"; readonly source: string; readonly reason: string }
  /** An artifact is in place: committed now, or reused because it was there already. */
  | {
      readonly kind: "artifact";
      readonly source: string;
      readonly path: string;
      readonly step?: number;
      readonly sizeBytes: number;
      /** How far each format is from the source's own model. */
      readonly parity: readonly ParityRecord[];
      readonly isReused: boolean;
      /** 1-based, among `count` artifacts of this call. */
      readonly index: number;
      readonly count: number;
    };

/** Says that an artifact is in place. */
export function describeArtifact(
  source: string,
  { path, manifest, isReused }: FreezeResult,
  position: { readonly index: number; readonly count: number },
): FreezeProgress {
  const { step } = manifest.source;
  return {
    kind: "artifact",
    source,
    path,
    ...(step === undefined ? {} : { step }),
    sizeBytes: manifest.files.reduce((size, file) => size + file.sizeBytes, 0),
    parity: manifest.parity,
    isReused,
    ...position,
  };
}
