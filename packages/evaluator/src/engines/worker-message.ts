import type { Dtype, Signature, TensorData } from "@ckpt/manifest";

/** A tensor with the dtype that its array alone does not tell: bool is a Uint8Array. */
export interface TypedTensor extends TensorData {
  readonly dtype: Dtype;
}

/** What an engine's worker is started with. */
export interface EngineWorkerData {
  /** One shared number of calls posted and not yet answered; the worker counts it down and notifies. */
  readonly openCalls: Int32Array;
}

/** What an engine's worker can be asked, and what it answers. */
export interface EngineCalls {
  /** Loads the engine's package, and with `backend` makes that the current one. */
  load: { request: { readonly backend?: string }; response: { readonly version: string } };
  /** Loads a model's file. */
  open: {
    request: { readonly path: string; readonly signature: Signature };
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
  time: { request: EngineCalls["run"]["request"] & { readonly count: number }; response: readonly number[] };
  close: { request: { readonly session: number }; response: undefined };
}

/** What the worker can be asked to do. */
export type EngineCallName = keyof EngineCalls;

/** One call, as posted to the worker. */
export type EngineRequest = {
  readonly [Name in EngineCallName]: {
    readonly id: number;
    readonly name: Name;
    readonly request: EngineCalls[Name]["request"];
  };
}[EngineCallName];

/** The answer to the call with the same `id`. */
export type EngineReply =
  | { readonly id: number; readonly response: EngineCalls[EngineCallName]["response"] }
  | { readonly id: number; readonly failure: string };
