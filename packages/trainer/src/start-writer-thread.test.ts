import { readFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import threads, { type Worker } from "node:worker_threads";

import { describe, expect, it, onTestFinished, vi } from "vitest";

import { makeTestFolder } from "../test/test-folder.js";
import type * as startWriterThread from "./start-writer-thread.js";

/** The module anew, without the thread that other tests share, and the workers that it starts. */
async function loadModule(): Promise<{
  readonly shareWriterThread: (typeof startWriterThread)["shareWriterThread"];
  readonly workers: readonly Worker[];
}> {
  const workers: Worker[] = [];
  const { Worker: Original } = threads;
  threads.Worker = class extends Original {
    constructor(...parameters: ConstructorParameters<typeof Original>) {
      super(...parameters);
      workers.push(this);
    }
  };
  syncBuiltinESMExports();
  vi.resetModules();
  onTestFinished(async () => {
    threads.Worker = Original;
    syncBuiltinESMExports();
    await Promise.all(workers.map((worker) => worker.terminate()));
  });
  return { ...(await import("./start-writer-thread.js")), workers };
}

describe("the thread that runs are written on", () => {
  it("does its tasks in order, and reports the error of one with its cause", async () => {
    const { shareWriterThread, workers } = await loadModule();
    const folder = await makeTestFolder();
    const path = join(folder, "lines");
    const thread = shareWriterThread();
    const [first, refused, second] = await Promise.allSettled([
      thread.call({ kind: "append", path, line: "a\n" }),
      thread.call({ kind: "append", path: folder, line: "b\n" }),
      thread.call({ kind: "append", path, line: "c\n" }),
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second.status).toBe("fulfilled");
    expect(refused).toMatchObject({
      reason: { code: "FILE_SYSTEM", details: { path: folder, operation: "append" }, cause: { code: "EISDIR" } },
    });
    expect(await readFile(path, "utf8")).toBe("a\nc\n");
    expect(shareWriterThread()).toBe(thread);
    expect(workers).toHaveLength(1);
  });

  it("fails every task with FILE_SYSTEM when it is lost, and another one takes over", async () => {
    const { shareWriterThread, workers } = await loadModule();
    const path = join(await makeTestFolder(), "lines");
    const thread = shareWriterThread();
    const calls = [1, 2].map(() => thread.call({ kind: "append", path, line: "a\n" }));
    const settled = Promise.allSettled(calls);
    await workers[0]?.terminate();
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: {
          code: "FILE_SYSTEM",
          details: { path, operation: "append", reason: expect.stringContaining("it ended with exit code") as string },
        },
      });
    }
    expect(thread.isAlive()).toBe(false);
    await expect(thread.call({ kind: "append", path, line: "b\n" })).rejects.toMatchObject({ code: "FILE_SYSTEM" });
    const next = shareWriterThread();
    await next.call({ kind: "replace", path, text: "c\n" });
    expect(await readFile(path, "utf8")).toBe("c\n");
    expect(workers).toHaveLength(2);
  });

  it("survives a task that cannot be sent", async () => {
    const { shareWriterThread } = await loadModule();
    const path = join(await makeTestFolder(), "lines");
    const thread = shareWriterThread();
    const line = (() => "a") as unknown as string;
    await expect(thread.call({ kind: "append", path, line })).rejects.toThrow(/could not be cloned/);
    await thread.call({ kind: "append", path, line: "b\n" });
    expect(await readFile(path, "utf8")).toBe("b\n");
  });
});
