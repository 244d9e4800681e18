import type { RankedCandidate } from "@ckpt/manifest";

/** A candidate with its metrics, before it is ranked. */
export interface Candidate extends Pick<
  RankedCandidate,
  "id" | "artifact" | "checkpoint" | "metrics" | "slices" | "worstSlices" | "measures"
> {
  /** Digest of the evaluation the metrics were computed from. */
  readonly evaluation: string;
  /** Why its predictions could not be scored. */
  readonly failure?: string;
  /** Metrics that have no value on these rows, with the reason. */
  readonly notDefined?: Readonly<Record<string, string>>;
}
