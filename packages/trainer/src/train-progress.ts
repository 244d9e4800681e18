import type { Metrics } from "@ckpt/manifest";

import type { Checkpoint, SkippedCheckpoint } from "./checkpoint-store.js";

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
  | {
      readonly kind: "save";
      readonly step: number;
      readonly totalSteps: number;
      readonly checkpoint: Checkpoint;
      /** Steps of the checkpoints that retention removed. */
      readonly removed: readonly number[];
    };
