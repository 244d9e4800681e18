import { join } from "node:path";

import { artifactManifestType } from "./artifact-manifest.js";
import { checkpointManifestType } from "./checkpoint-manifest.js";
import type { DocumentHeader, DocumentType } from "./document.js";
import { type CkptError, isCkptError } from "./errors.js";
import { evaluationManifestType } from "./evaluation-manifest.js";
import type { FileEntry } from "./file-entry.js";
import { manifestNames } from "./layout.js";
import { metricsManifestType } from "./metrics-manifest.js";
import { readDocument } from "./read-document.js";
import { verifyFiles } from "./verify-files.js";

/** What a check found: how many files were read, and all that is wrong; no problems means every byte is as committed. */
export interface Verification {
  readonly fileCount: number;
  readonly problems: readonly CkptError[];
}

/** The kinds of folder that are committed by a manifest. */
export type CommittedKind = "checkpoint" | "artifact" | "evaluation";

type CommittedManifest = DocumentHeader<string> & { readonly files: readonly FileEntry[] };

const manifestTypes: Readonly<Record<CommittedKind, DocumentType<CommittedManifest>>> = {
  checkpoint: checkpointManifestType,
  artifact: artifactManifestType,
  evaluation: evaluationManifestType,
};

/** Checks one committed folder: its manifest, then every file listed in it. Problems are returned, not thrown. */
export async function verifyFolder(kind: CommittedKind, folder: string): Promise<Verification> {
  const manifest = await tryRead(() => readDocument(manifestTypes[kind], join(folder, manifestNames[kind])));
  if ("problem" in manifest) return { fileCount: 1, problems: [manifest.problem] };
  const problems = [...(await verifyFiles(folder, manifest.value.files))];
  let fileCount = 1 + manifest.value.files.length;
  if (kind === "evaluation") {
    const metrics = await tryRead(() => readDocument(metricsManifestType, join(folder, manifestNames.metrics)));
    // An evaluation that was stored but not yet measured has no metrics.
    if ("value" in metrics) fileCount++;
    else if (!isCkptError(metrics.problem, "MANIFEST_MISSING")) problems.push(metrics.problem);
  }
  return { fileCount, problems };
}

/** Turns a {@link CkptError} that `read` throws into a value; other errors pass. */
export async function tryRead<Value>(
  read: () => Promise<Value>,
): Promise<{ readonly value: Value } | { readonly problem: CkptError }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (isCkptError(error)) return { problem: error };
    throw error;
  }
}
