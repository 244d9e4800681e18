import { fork } from "node:child_process";

import { CkptError } from "@ckpt/manifest";

import type { EngineName } from "./engine.js";
import type { LatencyReply, LatencyRequest } from "./latency-message.js";

/** A process that answers {@link LatencyRequest}s, one at a time. */
export interface LatencyProcess {
  /** @throws {CkptError} ENGINE_FAILED, also when the process ends. */
  ask<Kind extends LatencyReply["kind"]>(
    request: LatencyRequest,
    kind: Kind,
  ): Promise<Extract<LatencyReply, { kind: Kind }>>;
  stop(): void;
}

// Run from source, the entry keeps the extension that it has there.
const entry = new URL(
  import.meta.url.endsWith(".ts") ? "./latency-process.ts" : "./latency-process.js",
  import.meta.url,
);

/** Starts the process; engine and artifact are named in errors. */
export function startLatencyProcess(engine: EngineName, artifact: string): LatencyProcess {
  // Arrays go as they are; the progress of packages that print at their loading is nobody's.
  const child = fork(entry, { serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const fail = (reason: string): CkptError => new CkptError("ENGINE_FAILED", { engine, artifact, reason });
  let end: string | undefined;
  let rejectAsk: ((error: CkptError) => void) | undefined;
  const finish = (reason: string): void => {
    end ??= reason;
    rejectAsk?.(fail(end));
  };
  child.once("exit", (code, signal) =>
    finish(`the process that measured it ended with ${signal ?? `exit code ${code}`}`),
  );
  // It did not start, or cannot be sent anything.
  child.on("error", (error) => finish(`the process that measures it failed: ${error.message}`));
  return {
    ask: async <Kind extends LatencyReply["kind"]>(request: LatencyRequest, kind: Kind) => {
      if (end !== undefined) throw fail(end);
      const reply = await new Promise<LatencyReply>((resolve, reject) => {
        rejectAsk = reject;
        child.once("message", (message) => resolve(message as LatencyReply));
        child.send(request);
      });
      if (reply.kind === "failed") throw fail(reply.reason);
      if (reply.kind !== kind) throw new TypeError(`expected ${kind}, found ${reply.kind}`);
      return reply as Extract<LatencyReply, { kind: Kind }>;
    },
    stop: () => void child.kill(),
  };
}
