import type { ArtifactFormat, ArtifactManifest, Sealed } from "@ckpt/manifest";

import type { FreezeProgress } from "./progress.js";

/** How to freeze, whatever is frozen. */
export interface FormatOptions {
  /** Default: all four. */
  readonly formats?: readonly ArtifactFormat[];
  /**
   * Largest accepted absolute error against the source's own model, per output; for an output whose values go beyond 1,
   * times its largest magnitude. Default: 1e-5.
   */
  readonly tolerance?: number;
  readonly onProgress?: (progress: FreezeProgress) => void;
}

/** A format that was written but not compared with the source. */
export interface UnverifiedFormat {
  readonly format: ArtifactFormat;
  /** Why, such as that the engine's package is not installed. */
  readonly reason: string;
}

/** An artifact in place. */
export interface FreezeResult {
  /** The artifact's folder. */
  readonly path: string;
  readonly manifest: Sealed<ArtifactManifest>;
  /** The artifact was there already, of the same source and formats, and was left as it is. */
  readonly isReused: boolean;
  readonly unverified: readonly UnverifiedFormat[];
}
