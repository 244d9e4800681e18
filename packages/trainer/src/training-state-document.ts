import { type DocumentHeader, type DocumentType, type Json } from "@ckpt/manifest";
import { z } from "zod";

import type { ArraySpec } from "./named-array.js";
import type { RandomState } from "./random.js";

/** Where training stands between two optimizer updates. */
export interface TrainingPosition {
  /** Optimizer updates completed. */
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  /** Batches completed of the epoch that is going on. */
  readonly batch: number;
}

/** `training-state.json`: what resuming needs besides the weights. */
export interface TrainingStateDocument extends DocumentHeader<"training-state"> {
  readonly position: TrainingPosition;
  /** Lines of `history.jsonl` at this step. */
  readonly historyCount: number;
  /** State of the save policy. */
  readonly policy: Json;
  /** State of the stop policy and why it stopped training, if it did; absent where there is none. */
  readonly stop?: Json;
  /** State of the generator in the place of `Math.random`; `null` where none was installed. */
  readonly random: RandomState | null;
  /** What the training loop itself remembers between two updates. */
  readonly loop: Json;
  /** `null` for a model without an optimizer. */
  readonly optimizer: {
    readonly className: string;
    readonly config: Readonly<Record<string, Json>>;
    /** Updates made. */
    readonly iterations: number;
    /** Stored without gaps behind an int32 scalar with `iterations`, as TensorFlow.js has them. */
    readonly slots: readonly SlotSpec[];
    /** Stored behind the slots. */
    readonly scalars: readonly ArraySpec[];
  } | null;
}

/** A slot tensor without its values. */
interface SlotSpec extends ArraySpec {
  readonly slot: string;
  readonly variable: string;
}

const count = z.int().nonnegative();
const jsonSchema = z.json() as z.ZodType<Json>;
const arraySpecFields = {
  name: z.string(),
  dtype: z.enum(["float32", "int32", "bool"]),
  shape: z.array(count),
};
const word = z.int().min(0).max(0xffffffff);

/** How `training-state.json` is named, checked and versioned. */
export const trainingStateDocumentType: DocumentType<TrainingStateDocument> = {
  kind: "training-state",
  schemaVersion: 1,
  schema: z.object({
    kind: z.literal("training-state"),
    schemaVersion: z.int().positive(),
    position: z.object({ step: count, epoch: count, batch: count }),
    historyCount: count,
    policy: jsonSchema,
    stop: jsonSchema.exactOptional(),
    random: z.tuple([word, word, word, word]).nullable(),
    loop: jsonSchema,
    optimizer: z
      .object({
        className: z.string(),
        config: z.record(z.string(), jsonSchema),
        iterations: count,
        slots: z.array(z.object({ ...arraySpecFields, slot: z.string(), variable: z.string() })),
        scalars: z.array(z.object(arraySpecFields)),
      })
      .nullable(),
  }),
};
