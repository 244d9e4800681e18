import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CkptError, dtypes, probeFileName, type TensorData, type TensorSpec, verifyFiles } from "@ckpt/manifest";

import { decodeSavedWeights } from "./saved-weights.js";
import type { ModelSource } from "./source.js";

/** Rows of real data for one input of a model. */
export interface ProbeInput {
  readonly spec: TensorSpec;
  readonly tensor: TensorData;
}

/**
 * Reads the rows of real data that a checkpoint carries, one tensor for each input of its model; none where it has none.
 *
 * @throws {CkptError} FILE_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH or UNSAFE_PATH naming the file that is damaged;
 *   MODEL_UNREADABLE when its size is not what the manifest says; UNSUPPORTED_DTYPE.
 */
export async function readProbe(source: ModelSource): Promise<readonly ProbeInput[]> {
  if (source.kind !== "checkpoint" || source.probe === undefined) return [];
  const { path, files, probe } = source;
  const file = join(path, probeFileName);
  const entry = files.find((listed) => listed.path === probeFileName);
  if (entry === undefined) throw new CkptError("FILE_MISSING", { path: file });
  const [problem] = await verifyFiles(path, [entry]);
  if (problem !== undefined) throw problem;
  const specs = probe.map(({ name, dtype, shape }) => ({
    name,
    dtype: requireDtype(dtype, file),
    shape: sizes(shape),
  }));
  const decoded = decodeSavedWeights(new Uint8Array(await readFile(file)), specs, file);
  return probe.flatMap((spec): ProbeInput[] => {
    const found = decoded.get(spec.name);
    return found === undefined ? [] : [{ spec, tensor: { data: found.values, shape: found.shape } }];
  });
}

type NumericDtype = "float32" | "int32" | "bool";

function requireDtype(dtype: TensorSpec["dtype"], where: string): NumericDtype {
  if (dtype !== "string") return dtype;
  throw new CkptError("UNSUPPORTED_DTYPE", { where, dtype, supported: dtypes.filter((known) => known !== "string") });
}

function sizes(shape: TensorSpec["shape"]): number[] {
  return shape.map((size) => size ?? 0);
}
