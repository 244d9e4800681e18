import type * as tf from "@tensorflow/tfjs";

import type { TracedBody } from "./trace.js";

/** A body as it was recorded. */
export interface RecordedBody extends TracedBody {
  /** What it used of the computation around it: its inputs after those it was given. */
  readonly captured: readonly tf.Tensor[];
  /** What it gave. */
  readonly results: readonly tf.Tensor[];
}

/** A call that stands for a whole region. */
export interface RegionCall {
  readonly kernel: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly tf.Tensor[];
  /** Its outputs, tensors of their own. */
  readonly results: readonly tf.Tensor[];
  readonly body: TracedBody;
}

/** Puts one call into a trace where there would be many kernels. */
export interface RegionRecorder {
  /** Runs something of which nothing is recorded. */
  readonly suspend: <Result>(run: () => Result) => Result;
  /** Records what is run as a body that takes `inputs`, tensors that nothing recorded so far has to do with. */
  readonly recordBody: (inputs: readonly tf.Tensor[], run: () => readonly tf.Tensor[]) => RecordedBody;
  readonly addCall: (call: RegionCall) => void;
  /** The key of a weight; `undefined` for any other tensor. */
  readonly findWeight: (tensor: tf.Tensor) => string | undefined;
}
