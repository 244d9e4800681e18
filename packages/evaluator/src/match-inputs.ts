import { type Batch, CkptError, dtypes, type Signature, type Split, type TensorSpec } from "@ckpt/manifest";

import type { NamedTensors } from "./engine.js";

/** Gives the tensors of a batch the names that the artifact has for them. */
export type InputBinding = (batch: Batch) => NamedTensors;

const supportedDtypes = dtypes.filter((dtype) => dtype !== "string");

/**
 * Finds the split's input for each input of the signature: by name, or by position when each side has exactly one.
 *
 * @param where - Named in errors.
 * @throws {CkptError} SIGNATURE_MISMATCH when names, dtypes or shapes of a row differ, UNSUPPORTED_DTYPE for strings.
 */
export function matchInputs(where: string, signature: Signature, split: Split): InputBinding {
  const isPositional = signature.inputs.length === 1 && split.inputs.length === 1;
  const sources = new Map<string, string>();
  for (const expected of signature.inputs) {
    const found = isPositional ? split.inputs[0] : split.inputs.find((spec) => spec.name === expected.name);
    if (found === undefined || signature.inputs.length !== split.inputs.length) {
      throw new CkptError("SIGNATURE_MISMATCH", {
        where,
        expected: `inputs ${listNames(signature.inputs)}`,
        found: `${listNames(split.inputs)} in split ${split.name}`,
      });
    }
    checkSpec(where, expected, found, split.name);
    sources.set(expected.name, found.name);
  }
  return (batch) => {
    const tensors: Record<string, NamedTensors[string]> = {};
    for (const [name, source] of sources) {
      const tensor = batch.inputs[source];
      if (tensor === undefined) throw new TypeError(`split ${split.name}: a batch has no input ${source}`);
      tensors[name] = tensor;
    }
    return tensors;
  };
}

function checkSpec(where: string, expected: TensorSpec, found: TensorSpec, split: string): void {
  if (expected.dtype === "string") {
    throw new CkptError("UNSUPPORTED_DTYPE", {
      where: `${where}: input ${expected.name}`,
      dtype: expected.dtype,
      supported: supportedDtypes,
    });
  }
  const hasBatch = expected.shape[0] === null;
  const isSameShape =
    expected.shape.length === found.shape.length &&
    expected.shape.every((size, axis) => axis === 0 || size === null || size === found.shape[axis]);
  if (hasBatch && isSameShape && expected.dtype === found.dtype) return;
  throw new CkptError("SIGNATURE_MISMATCH", {
    where: `${where}: input ${expected.name}`,
    expected: `${describeSpec(expected)}${hasBatch ? "" : " with a first dimension that is free, for the rows"}`,
    found: `${describeSpec(found)} (${found.name} of split ${split})`,
  });
}

function describeSpec(spec: TensorSpec): string {
  return `${spec.dtype} [${spec.shape.map((size) => size ?? "?").join(", ")}]`;
}

function listNames(specs: readonly TensorSpec[]): string {
  return specs.map((spec) => spec.name).join(", ") || "none";
}
