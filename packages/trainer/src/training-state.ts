import type { Json, Signature } from "@ckpt/manifest";

import type { NamedArray } from "./named-array.js";

/** A tensor that an optimizer keeps for one variable, such as Adam's first moment `m`. */
export interface OptimizerSlot extends NamedArray {
  /** What it is: `m`, `v`, `momentum`, ... */
  readonly slot: string;
  /** The variable it belongs to; `name` is `<variable>/<slot>`. */
  readonly variable: string;
}

/** Everything an optimizer remembers between two updates. */
export interface OptimizerSnapshot {
  /** The class name TensorFlow.js serializes it by: `Adam`, `SGD`, ... */
  readonly className: string;
  /** Hyperparameters, learning rate included, by their TensorFlow.js names. */
  readonly config: Readonly<Record<string, Json>>;
  /** Updates the optimizer has made. */
  readonly iterations: number;
  /** In TensorFlow.js's own order: all variables of the first slot, then of the second. */
  readonly slots: readonly OptimizerSlot[];
  /** State that belongs to no variable, such as Adam's two accumulated decay rates, as they are and not recomputed. */
  readonly scalars: readonly NamedArray[];
}

/** Everything that training changes, as it stands between two updates. */
export interface StateSnapshot {
  readonly signature: Signature;
  /**
   * The fields of `model.json` besides the weights: topology, format, and what the model was compiled with. The same
   * object, or the same `modelTopology` in it, as long as nothing in it changed; never changed in place.
   */
  readonly model: Readonly<Record<string, unknown>>;
  /** By name, in the order they are stored. */
  readonly weights: readonly NamedArray[];
  readonly optimizer?: OptimizerSnapshot;
  /** TensorFlow.js itself can load the optimizer's slots along with the model. */
  readonly isOptimizerLoadable: boolean;
}

/**
 * What a checkpointer needs of whatever is trained. A LayersModel is one implementation; named variables with their own
 * loop or a compiled training step are others.
 */
export interface TrainingState {
  /**
   * Reads the state. The arrays may be views of the memory that training works in: whoever calls this copies them right
   * after the promise resolves, before awaiting anything else, and keeps none of them.
   */
  snapshot(): Promise<StateSnapshot>;
  /**
   * Puts a state back, of which the arrays are copied: not one whose arrays are still views of the live memory.
   *
   * @throws {CkptError} WEIGHTS_MISMATCH when it is another model's or another optimizer's; nothing is changed then.
   */
  restore(snapshot: RestorableState, path: string): Promise<void>;
}

/** The part of a snapshot that is put back; the rest describes what it belongs to. */
export type RestorableState = Pick<StateSnapshot, "weights" | "optimizer">;
