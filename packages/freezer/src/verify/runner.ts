import type { TensorData } from "@ckpt/manifest";

/** Something that runs a model: inputs and outputs in the order of the signature. */
export interface Runner {
  /** What runs it: `tfjs`, `onnxruntime-node`. */
  readonly engine: string;
  run(inputs: readonly TensorData[]): Promise<readonly TensorData[]>;
  dispose(): Promise<void>;
}
