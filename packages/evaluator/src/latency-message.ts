import type { Signature } from "@ckpt/manifest";

import type { EngineName, NamedTensors } from "./engine.js";

/** What a latency process is asked, each in answer to the reply before; between processes, so arrays travel as bytes. */
export type LatencyRequest =
  | {
      readonly kind: "open";
      readonly engine: EngineName;
      /** TensorFlow.js's, where the engine has one. */
      readonly backend?: string;
      readonly artifact: string;
      readonly signature: Signature;
      readonly inputs: NamedTensors;
    }
  | { readonly kind: "run"; readonly count: number };

/** The answer to one {@link LatencyRequest}. */
export type LatencyReply =
  | { readonly kind: "opened"; readonly loadMs: number }
  | { readonly kind: "ran"; readonly durationsMs: readonly number[]; readonly peakRssBytes: number }
  | { readonly kind: "failed"; readonly reason: string };
