import { damaged } from "./damaged.js";
import { parseTextFields, quoteText, type TextField } from "./text-format.js";

/** What the text file `checkpoint` says: which checkpoints of its folder there are. */
export interface CheckpointState {
  /** The latest one, as written: relative to the file's folder, or absolute. */
  readonly latest: string;
  /** All that are kept, oldest first. */
  readonly all: readonly string[];
  /** When each of `all` was saved, in seconds since 1970; empty when it was not recorded. */
  readonly timestamps: readonly number[];
  /** When one was last kept for good, in seconds since 1970. */
  readonly lastPreservedTimestamp?: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses a `checkpoint` file (CheckpointState in protobuf's text format). Fields that are not known are passed over.
 *
 * @throws {CkptError} BUNDLE_INVALID.
 */
export function parseCheckpointState(text: string, path = "checkpoint"): CheckpointState {
  const readName = ({ name, value }: TextField): string => {
    try {
      if (typeof value !== "string") return decoder.decode(value);
    } catch {
      throw damaged(path, `${name} is not UTF-8`);
    }
    throw damaged(path, `${name}: expected text in quotes`);
  };
  const readTime = ({ name, value }: TextField): number => {
    const time = typeof value === "string" ? Number(value) : Number.NaN;
    if (Number.isFinite(time)) return time;
    throw damaged(path, `${name}: expected a number`);
  };

  let latest: string | undefined;
  let lastPreservedTimestamp: number | undefined;
  const all: string[] = [];
  const timestamps: number[] = [];
  for (const field of parseTextFields(text, path)) {
    if (field.name === "model_checkpoint_path") latest = readName(field);
    else if (field.name === "all_model_checkpoint_paths") all.push(readName(field));
    else if (field.name === "all_model_checkpoint_timestamps") timestamps.push(readTime(field));
    else if (field.name === "last_preserved_timestamp") lastPreservedTimestamp = readTime(field);
  }
  if (latest === undefined) throw damaged(path, "it names no model_checkpoint_path");
  // As TensorFlow does: the latest one is there even if the list leaves it out.
  if (!all.includes(latest)) all.push(latest);
  return { latest, all, timestamps, ...(lastPreservedTimestamp !== undefined && { lastPreservedTimestamp }) };
}

/** The text of a `checkpoint` file. */
export function serializeCheckpointState(state: CheckpointState): string {
  const lines = [
    `model_checkpoint_path: ${quoteText(state.latest)}`,
    ...state.all.map((name) => `all_model_checkpoint_paths: ${quoteText(name)}`),
    ...state.timestamps.map((time) => `all_model_checkpoint_timestamps: ${time}`),
    ...(state.lastPreservedTimestamp === undefined
      ? []
      : [`last_preserved_timestamp: ${state.lastPreservedTimestamp}`]),
  ];
  return `${lines.join("\n")}\n`;
}
