import { stemOf } from "./checkpoint-files.js";

/** How a checkpoint is called, and the step it was saved at. */
export interface BundleName {
  readonly name: string;
  /** Not there when the name does not say. */
  readonly step?: number;
}

/**
 * Name and step of a checkpoint by the last part of its prefix. The step is the digits at the end after a hyphen, which is
 * how `Saver.save(global_step=...)` and `CheckpointManager` name them: `-mlp3-20000` is step 20,000, `model.ckpt-12` is 12,
 * `model.ckpt` and `model2` have none. A V1 checkpoint's `-?????-of-00002` does not count.
 */
export function nameOfPrefix(prefix: string): BundleName {
  const name = stemOf(prefix.split(/[/\\]/).at(-1)!);
  const digits = /-(\d+)$/.exec(name)?.[1];
  const step = Number(digits);
  return digits !== undefined && Number.isSafeInteger(step) ? { name, step } : { name };
}
