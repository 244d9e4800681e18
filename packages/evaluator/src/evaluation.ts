import type { EvaluationManifest, Sealed } from "@ckpt/manifest";

/** The stored predictions of one artifact on one split. */
export interface Evaluation {
  /** The evaluation's folder. */
  readonly path: string;
  readonly manifest: Sealed<EvaluationManifest>;
  /** True when the predictions were there already and no inference was run. */
  readonly isReused: boolean;
  /** Why this engine was taken, in words. */
  readonly engineReason: string;
}

/** How far an evaluation is; reported after every batch. */
export interface EvaluationProgress {
  /** The artifact's id. */
  readonly artifact: string;
  readonly rowsDone: number;
  readonly rowsTotal: number;
  /** Of this artifact, since its first batch; rows that were there already do not count. */
  readonly rowsPerSecond: number;
}
