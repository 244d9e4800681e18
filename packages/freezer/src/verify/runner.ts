import type { Graph } from "@ckpt/graph";
import type { TensorData } from "@ckpt/manifest";

/** Something that runs a model: inputs and outputs in the order of the signature. */
export interface Runner {
  run(inputs: readonly TensorData[]): Promise<readonly TensorData[]>;
}

/** A format being run, which can be looked into. */
export interface FormatRunner extends Runner {
  /** What runs it: `tfjs`, `tfjs-node`, `onnxruntime-node`. */
  readonly engine: string;
  dispose(): Promise<void>;
  /** The graph that the format was written from, in the operations of the format. */
  readonly graph: Graph;
  /** Of all that it computes with: runners with equal ones give equal results. */
  readonly digest?: string;
  /** The values that the nodes of {@link graph} have in the format; those that it merged into others are left out. */
  readonly runValues?: (inputs: readonly TensorData[]) => Promise<readonly NodeValue[]>;
}

/** One output of a node of the graph, as a format computes it; axes in the order of the graph. */
export interface NodeValue {
  readonly node: string;
  readonly output: number;
  readonly tensor: TensorData;
}

/** The model that was frozen. */
export interface ReferenceRunner extends Runner {
  /** What each call of a layer gives, in the order in which they return. */
  readonly runLayers?: (inputs: readonly TensorData[]) => Promise<readonly LayerValues[]>;
}

/** What one call of a layer gives. */
export interface LayerValues {
  /** Path of the layer. */
  readonly layer: string;
  readonly outputs: readonly TensorData[];
}
