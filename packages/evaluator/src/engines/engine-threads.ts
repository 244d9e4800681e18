import { CkptError } from "@ckpt/manifest";

import type { EngineName } from "../engine.js";
import { type EngineWorker, startEngineWorker } from "./start-engine-worker.js";
import type { EngineCalls } from "./worker-message.js";

/** A thread of an engine that has loaded the engine's package. */
export interface EngineThread {
  readonly worker: EngineWorker;
  readonly version: string;
}

/** The threads of an engine by their numbers from 0, each started once and shared by all sessions of the process. */
export interface EngineThreads {
  /**
   * Starts the thread if nobody has, and one that died again.
   *
   * @throws {CkptError} ENGINE_UNAVAILABLE when the package does not load there, ENGINE_FAILED when the thread is lost.
   */
  get(index: number): Promise<EngineThread>;
}

/** @param entry - The thread's module, which serves calls. */
export function createEngineThreads(
  name: EngineName,
  entry: URL,
  settings: EngineCalls["load"]["request"],
): EngineThreads {
  const threads: (Promise<EngineThread> | undefined)[] = [];
  return {
    get: async (index) => {
      const known = threads[index];
      const found = await known?.catch(() => undefined);
      if (found?.worker.isAlive() === true) return found;
      // Another caller may have replaced it while this one waited.
      if (threads[index] === known) threads[index] = startThread(name, entry, settings);
      return threads[index]!;
    },
  };
}

async function startThread(
  name: EngineName,
  entry: URL,
  settings: EngineCalls["load"]["request"],
): Promise<EngineThread> {
  const worker = startEngineWorker(entry);
  try {
    const { version } = await worker.call("load", settings);
    return { worker, version };
  } catch (cause) {
    // A thread that is still there answered: it is the package that does not load.
    const reason = (cause as Error).message;
    if (!worker.isAlive())
      throw new CkptError("ENGINE_FAILED", { engine: name, artifact: "worker", reason }, { cause });
    await worker.stop();
    throw new CkptError("ENGINE_UNAVAILABLE", { engine: name, package: name, reason }, { cause });
  }
}
