import { z } from "zod";

import type { DocumentHeader, DocumentType } from "./document.js";
import { sha256Schema } from "./file-entry.js";
import type { SplitRole } from "./split.js";

/** Why a training run ended. */
export type StopReason = "completed" | "stopped";

/** How training ended. */
export interface RunResult {
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  readonly reason: StopReason;
  /** What ended it before its planned end, in words: a signal, or a stop policy and what it saw. */
  readonly cause?: string;
  /** The step whose weights were put back into the model at the end. */
  readonly restoredStep?: number;
}

/** `run.json`: what was trained on what; rewritten once, when training ends. */
export interface RunManifest extends DocumentHeader<"run"> {
  readonly name: string;
  /** The configuration file, relative to the run folder with `/` between parts; absent for a run made through the API. */
  readonly config?: string;
  /** SHA-256 of the canonical JSON of everything that decides the training, as its caller defines it. */
  readonly configDigest: string;
  readonly seed: number;
  /** Versions that decide the bytes of the result, by package name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly backend: string;
  readonly data: readonly DataRecord[];
  /** Present once training has ended. */
  readonly result?: RunResult;
}

/** A split that a run was trained or measured on. */
export interface DataRecord {
  readonly name: string;
  readonly role: SplitRole;
  readonly rowCount: number;
  readonly digest: string;
}

/** Accepts the role of a split. */
export const splitRoleSchema: z.ZodType<SplitRole> = z.enum(["train", "validation", "select", "test"]);

/** Accepts what documents say of a split; where it was read from is no part of it. */
export const dataRecordSchema: z.ZodType<DataRecord> = z.object({
  name: z.string().min(1),
  role: splitRoleSchema,
  rowCount: z.int().nonnegative(),
  digest: sha256Schema,
});

const count = z.int().nonnegative();

/** How `run.json` is named, checked and versioned. */
export const runManifestType: DocumentType<RunManifest> = {
  kind: "run",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("run"),
    schemaVersion: z.int().positive(),
    name: z.string().min(1),
    config: z.string().exactOptional(),
    configDigest: sha256Schema,
    seed: z.int(),
    versions: z.record(z.string(), z.string()),
    backend: z.string(),
    data: z.array(dataRecordSchema),
    result: z
      .object({
        step: count,
        epoch: count,
        reason: z.enum(["completed", "stopped"]),
        cause: z.string().exactOptional(),
        restoredStep: count.exactOptional(),
      })
      .exactOptional(),
  }),
};
