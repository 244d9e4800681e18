import { setImmediate as tick } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { createSaveQueue, type SaveQueue, type WhenSaving } from "./save-queue.js";
import type { StateBuffer } from "./state-buffer.js";

interface Save {
  readonly name: string;
  readonly buffer: StateBuffer;
}

interface Bench {
  readonly queue: SaveQueue<Save>;
  /** What was written so far, in order. */
  readonly written: readonly string[];
  readonly replaced: readonly string[];
  /** All buffers that captures were given. */
  readonly buffers: ReadonlySet<StateBuffer>;
  readonly add: (name: string) => Promise<boolean>;
  /** Ends the write that goes on. */
  readonly settle: (error?: Error) => Promise<void>;
}

/** A queue whose writes end when the test says so, and which checks that no buffer ever has two users. */
function createBench(whenSaving: WhenSaving, irreplaceable: readonly string[] = []): Bench {
  const written: string[] = [];
  const replaced: string[] = [];
  const buffers = new Set<StateBuffer>();
  const users = new Map<StateBuffer, string>();
  let current: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  const queue = createSaveQueue<Save>({
    whenSaving,
    write: ({ name, buffer }) => {
      expect(current, "two writes at once").toBeUndefined();
      written.push(name);
      return new Promise<void>((resolve, reject) => {
        current = { resolve, reject };
      }).finally(() => {
        expect(users.get(buffer), "overwritten while it was written").toBe(name);
        users.delete(buffer);
        current = undefined;
      });
    },
    isIrreplaceable: ({ name }) => irreplaceable.includes(name),
    onReplaced: ({ name, buffer }) => {
      replaced.push(name);
      users.delete(buffer);
    },
  });
  return {
    queue,
    written,
    replaced,
    buffers,
    add: (name) =>
      queue.add(async (buffer) => {
        expect(users.get(buffer), "given to two saves").toBeUndefined();
        users.set(buffer, name);
        buffers.add(buffer);
        await tick();
        return { name, buffer };
      }),
    settle: async (error) => {
      await tick();
      if (error === undefined) current?.resolve();
      else current?.reject(error);
      await tick();
    },
  };
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  await tick();
  await tick();
  return (await Promise.race([promise, Promise.resolve("pending")])) !== "pending";
}

describe("a save queue", () => {
  it("writes in the background, one after the other in one buffer, when it waits", async () => {
    const { queue, written, buffers, add, settle } = createBench("wait");
    expect(queue.isIdle).toBe(true);
    expect(await add("a")).toBe(true);
    expect(queue.isIdle).toBe(false);
    const second = add("b");
    expect(await isSettled(second)).toBe(false);
    expect(written).toEqual(["a"]);
    await settle();
    expect(await second).toBe(true);
    expect(written).toEqual(["a", "b"]);
    await settle();
    expect(queue.isIdle).toBe(true);
    await add("c");
    expect(buffers.size).toBe(1);
  });

  it("captures nothing while another save is written, when it skips", async () => {
    const { written, buffers, add, settle } = createBench("skip");
    await add("a");
    expect(await add("b")).toBe(false);
    expect(await add("c")).toBe(false);
    await settle();
    expect(await add("d")).toBe(true);
    expect(written).toEqual(["a", "d"]);
    expect(buffers.size).toBe(1);
  });

  it("lets the newest wait, when it replaces, in no more than two buffers", async () => {
    const { queue, written, replaced, buffers, add, settle } = createBench("replace");
    for (const name of ["a", "b", "c", "d"]) expect(await add(name)).toBe(true);
    expect(written).toEqual(["a"]);
    expect(replaced).toEqual(["b", "c"]);
    await settle();
    expect(written).toEqual(["a", "d"]);
    await add("e");
    await settle();
    await settle();
    expect(written).toEqual(["a", "d", "e"]);
    expect(queue.isIdle).toBe(true);
    for (const name of ["f", "g", "h"]) await add(name);
    expect(buffers.size).toBe(2);
  });

  it("waits rather than give up an irreplaceable save", async () => {
    const { written, replaced, buffers, add, settle } = createBench("replace", ["best"]);
    await add("a");
    await add("best");
    const next = add("c");
    expect(await isSettled(next)).toBe(false);
    await settle();
    expect(await next).toBe(true);
    expect(written).toEqual(["a", "best"]);
    expect(replaced).toEqual([]);
    await settle();
    expect(written).toEqual(["a", "best", "c"]);
    expect(buffers.size).toBe(2);
  });

  it("reports the first failure, once, and goes on", async () => {
    const { queue, written, add, settle } = createBench("replace");
    await add("a");
    await add("b");
    await settle(new Error("first"));
    await settle(new Error("second"));
    await queue.drain();
    expect(queue.takeFailure()?.message).toBe("first");
    expect(queue.takeFailure()).toBeUndefined();
    await add("c");
    await settle();
    expect(queue.takeFailure()).toBeUndefined();
    expect(written).toEqual(["a", "b", "c"]);
  });

  it("drains what waits too", async () => {
    const { queue, written, add, settle } = createBench("replace");
    await queue.drain();
    await add("a");
    await add("b");
    const drained = queue.drain();
    await settle();
    expect(await isSettled(drained)).toBe(false);
    await settle();
    await drained;
    expect(written).toEqual(["a", "b"]);
    expect(queue.isIdle).toBe(true);
  });

  it.each(["wait", "skip", "replace"] as const)("passes on a capture's error and stays whole (%s)", async (mode) => {
    const { queue, written, buffers, add, settle } = createBench(mode);
    await add("a");
    await settle();
    await expect(queue.add(() => Promise.reject(new Error("odd tensor")))).rejects.toThrow("odd tensor");
    expect(queue.isIdle).toBe(true);
    await add("b");
    await settle();
    expect(written).toEqual(["a", "b"]);
    expect(buffers.size).toBe(1);
    expect(queue.takeFailure()).toBeUndefined();
  });

  it("starts a save at once if the other ended while it was captured", async () => {
    const { queue, written, settle, add } = createBench("replace");
    await add("a");
    const second = queue.add(async (buffer) => {
      await settle();
      return { name: "b", buffer };
    });
    expect(await second).toBe(true);
    expect(written).toEqual(["a", "b"]);
  });
});
