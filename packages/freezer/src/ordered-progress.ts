import type { FreezeProgress } from "./progress.js";

/** Progress of jobs that are done at the same time, told as if they were done one after the other. */
export interface OrderedProgress {
  /** What a job has to say: at once if all jobs before it are finished, else when they are. */
  report(index: number, event: FreezeProgress): void;
  /** Nothing more comes from this job. */
  finish(index: number): void;
}

/** Puts the events of jobs, by their index, in order. What is so of a topology is passed on once. */
export function createOrderedProgress(onProgress: (event: FreezeProgress) => void): OrderedProgress {
  const waiting = new Map<number, FreezeProgress[]>();
  const finished = new Set<number>();
  const captured = new Set<string>();
  const capturedAgain = new Set<string>();
  let current = 0;
  const pass = (event: FreezeProgress): void => {
    if (event.kind === "captured") {
      if (captured.has(event.topologyDigest)) capturedAgain.add(event.source);
      captured.add(event.topologyDigest);
    }
    const isOfTopology = event.kind === "captured" || event.kind === "corrected";
    if (isOfTopology && capturedAgain.has(event.source)) return;
    onProgress(event);
  };
  return {
    report: (index, event) => {
      if (index === current) {
        pass(event);
        return;
      }
      const events = waiting.get(index) ?? [];
      events.push(event);
      waiting.set(index, events);
    },
    finish: (index) => {
      finished.add(index);
      while (finished.has(current)) {
        current++;
        const events = waiting.get(current) ?? [];
        waiting.delete(current);
        events.forEach(pass);
      }
    },
  };
}
