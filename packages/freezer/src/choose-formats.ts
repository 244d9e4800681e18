import type { EmitGraphDefOptions } from "@ckpt/graph";
import {
  type ArtifactFormat,
  artifactFormats,
  type ArtifactManifest,
  CkptError,
  defaultArtifactFormats,
  type Quantization,
  type QuantizeRule,
} from "@ckpt/manifest";

import type { FormatOptions } from "./freeze-options.js";

/** What an artifact is made of and held to: the part of its manifest that the caller decides. */
export type FormatChoice = Pick<ArtifactManifest, "formats" | "tolerance" | "quantization" | "maxUnrolledSteps">;

/** The tolerance where none is given. */
const defaultTolerance = 1e-5;

/** The tolerance of a GraphModel with weights in each form, where none is given: some ten times what is usual. */
export const quantizedTolerances: Readonly<Record<Quantization, number>> = {
  none: defaultTolerance,
  u16: 1e-3,
  f16: 1e-2,
  u8: 1e-1,
};

/**
 * Completes and checks what the caller asked for. The formats come each once and in the order of `artifactFormats`, so
 * that equal sets give equal manifests.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function chooseFormats({
  formats = defaultArtifactFormats,
  tolerance,
  quantize = [],
  maxUnrolledSteps,
}: FormatOptions): FormatChoice {
  const chosen = checkFormats(formats);
  if (tolerance !== undefined && !(tolerance >= 0)) {
    throw new CkptError("INVALID_OPTION", { option: "tolerance", expected: "0 or more", found: String(tolerance) });
  }
  if (maxUnrolledSteps !== undefined && !(Number.isSafeInteger(maxUnrolledSteps) && maxUnrolledSteps >= 0)) {
    const found = String(maxUnrolledSteps);
    throw new CkptError("INVALID_OPTION", { option: "maxUnrolledSteps", expected: "a whole number, 0 or more", found });
  }
  const choice = {
    formats: chosen,
    tolerance: tolerance ?? defaultTolerance,
    ...(maxUnrolledSteps === undefined ? {} : { maxUnrolledSteps }),
  };
  if (quantize.length === 0) return choice;
  if (!chosen.includes("graph-model")) {
    const expected = "graph-model among the formats, the only one that is quantized";
    throw new CkptError("INVALID_OPTION", { option: "quantize", expected, found: chosen.join(", ") });
  }
  return { ...choice, quantization: { rules: quantize, tolerance: tolerance ?? coarsestTolerance(quantize) } };
}

/** How recurrences stand in the formats of TensorFlow. */
export function toGraphDefOptions({ maxUnrolledSteps }: Pick<FormatChoice, "maxUnrolledSteps">): EmitGraphDefOptions {
  return maxUnrolledSteps === undefined ? {} : { maxUnrolledSteps };
}

/** What a format of the artifact is held to. */
export function toleranceOf(format: ArtifactFormat, { tolerance, quantization }: FormatChoice): number {
  return format === "graph-model" ? (quantization?.tolerance ?? tolerance) : tolerance;
}

function coarsestTolerance(rules: readonly QuantizeRule[]): number {
  return Math.max(...rules.map((rule) => quantizedTolerances[rule.as]));
}

function checkFormats(formats: readonly ArtifactFormat[]): readonly ArtifactFormat[] {
  const chosen = artifactFormats.filter((format) => formats.includes(format));
  const unknown = formats.filter((format) => !artifactFormats.includes(format));
  if (chosen.length > 0 && unknown.length === 0) return chosen;
  const expected = `one or more of ${artifactFormats.join(", ")}`;
  throw new CkptError("INVALID_OPTION", { option: "formats", expected, found: formats.join(", ") || "none" });
}
