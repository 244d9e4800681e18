import type { Session } from "./engine.js";
import { useBackend } from "./engines/use-backend.js";
import type { LatencyReply, LatencyRequest } from "./latency-message.js";
import { loadEngine } from "./load-engine.js";

// The entry of a process that does nothing but load and run one artifact, so that its memory is that artifact's.

let opened: { readonly session: Session; readonly inputs: (LatencyRequest & { kind: "open" })["inputs"] } | undefined;

process.on("message", (request: LatencyRequest) => {
  void answer(request)
    .catch((error: unknown): LatencyReply => ({ kind: "failed", reason: (error as Error).message }))
    .then((reply) => process.send?.(reply));
});
process.once("disconnect", () => process.exit());

async function answer(request: LatencyRequest): Promise<LatencyReply> {
  if (request.kind === "open") {
    if (request.backend !== undefined) await useBackend(await import("@tensorflow/tfjs"), request.backend);
    const engine = await loadEngine(request.engine);
    const startMs = performance.now();
    const session = await engine.open(request.artifact, request.signature);
    const loadMs = performance.now() - startMs;
    opened = { session, inputs: request.inputs };
    return { kind: "opened", loadMs };
  }
  if (opened === undefined) throw new TypeError("asked to run before a model was opened");
  const durationsMs = await opened.session.time(opened.inputs, request.count);
  // In kilobytes, on every platform.
  return { kind: "ran", durationsMs, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
}
