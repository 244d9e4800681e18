import type { ModelCut } from "@ckpt/graph";
import {
  type ArtifactCut,
  type ArtifactFormat,
  artifactFormats,
  type ArtifactManifest,
  CkptError,
  type Sealed,
} from "@ckpt/manifest";

import type { FreezeProgress } from "./progress.js";

/** What to write, and how close it has to be. */
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

/** {@link FormatOptions} checked and with their defaults, as plain data. */
export interface ArtifactRequest {
  readonly formats: readonly ArtifactFormat[];
  readonly tolerance: number;
  /** Absent for a whole model. */
  readonly cut?: ArtifactCut;
}

/**
 * Checks the options of a freeze and puts in the defaults.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function toArtifactRequest(
  { formats = artifactFormats, tolerance = 1e-5 }: FormatOptions,
  { inputs, outputs }: ModelCut,
): ArtifactRequest {
  // Each once and in one order, so that equal sets give equal manifests.
  const chosen = artifactFormats.filter((format) => formats.includes(format));
  if (chosen.length === 0 || formats.some((format) => !artifactFormats.includes(format))) {
    const expected = `one or more of ${artifactFormats.join(", ")}`;
    throw new CkptError("INVALID_OPTION", { option: "formats", expected, found: formats.join(", ") || "none" });
  }
  if (!(tolerance >= 0)) {
    throw new CkptError("INVALID_OPTION", { option: "tolerance", expected: "0 or more", found: String(tolerance) });
  }
  const isWhole = inputs === undefined && outputs === undefined;
  return {
    formats: chosen,
    tolerance,
    ...(isWhole
      ? {}
      : { cut: { ...(inputs === undefined ? {} : { inputs }), ...(outputs === undefined ? {} : { outputs }) } }),
  };
}
