import type { Dtype, TensorData } from "@ckpt/manifest";

/** A tensor with the dtype that its array alone does not tell: bool is a Uint8Array. */
export interface TypedTensor extends TensorData {
  readonly dtype: Dtype;
}

/** What the ONNX worker is started with. */
export interface OnnxWorkerData {
  /** One shared number of calls posted and not yet answered; the worker counts it down and notifies. */
  readonly openCalls: Int32Array;
}

/** What the ONNX worker can be asked, and what it answers. */
export interface OnnxCalls {
  /** Loads onnxruntime-node. */
  load: { request: object; response: { readonly version: string } };
  open: {
    request: { readonly path: string };
    response: { readonly session: number; readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  };
  run: {
    request: {
      readonly session: number;
      /** Over shared memory. */
      readonly inputs: Readonly<Record<string, TypedTensor>>;
      /** Of the shared memory: no two calls with the same number are open at once. */
      readonly place: number;
      readonly outputs: readonly string[];
    };
    response: Readonly<Record<string, TensorData>>;
  };
  /** Runs as often as `count` says and gives the milliseconds of each. */
  time: { request: OnnxCalls["run"]["request"] & { readonly count: number }; response: readonly number[] };
  close: { request: { readonly session: number }; response: undefined };
}

/** What the worker can be asked to do. */
export type OnnxCallName = keyof OnnxCalls;

/** One call, as posted to the worker. */
export type OnnxRequest = {
  readonly [Name in OnnxCallName]: {
    readonly id: number;
    readonly name: Name;
    readonly request: OnnxCalls[Name]["request"];
  };
}[OnnxCallName];

/** The answer to the call with the same `id`. */
export type OnnxReply =
  | { readonly id: number; readonly response: OnnxCalls[OnnxCallName]["response"] }
  | { readonly id: number; readonly failure: string };
