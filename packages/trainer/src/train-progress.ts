import type { Metrics } from "@ckpt/manifest";

import type { SkippedCheckpoint } from "./checkpoint-store.js";
import type { SaveEvent } from "./checkpointer.js";

/** What {@link train} reports while it runs. */
export type TrainProgress =
  | {
      readonly kind: "start";
      /** 0, or the step of the checkpoint resumed from. */
      readonly step: number;
      readonly totalSteps: number;
      /** Damaged checkpoints that were passed over. */
      readonly skipped: readonly SkippedCheckpoint[];
    }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly totalSteps: number;
      /** Epochs completed. */
      readonly epoch: number;
      /** Of this step's batch, before its update. */
      readonly loss: number;
    }
  | {
      readonly kind: "measure";
      readonly step: number;
      readonly totalSteps: number;
      readonly epoch: number;
      readonly metrics: Metrics;
    }
  | ({
      /** A checkpoint is on disk; training may have gone on since. */
      readonly kind: "save";
      /** Of the checkpoint. */
      readonly step: number;
      readonly totalSteps: number;
    } & SaveEvent);
