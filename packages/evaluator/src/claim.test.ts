import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { nodeFileSystem } from "@ckpt/manifest";
import { expect, it, onTestFinished, vi } from "vitest";

import { makeFolder } from "../test/make-folder.js";
import { claimWork } from "./claim.js";

it("only lapses when it cannot be renewed", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const reasons: unknown[] = [];
  const note = (reason: unknown): void => void reasons.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => {
    vi.useRealTimers();
    process.off("unhandledRejection", note);
  });
  const path = join(await makeFolder(), "work.claim");
  const claim = await claimWork(path, nodeFileSystem);
  // Nothing can be read of a folder.
  await rm(path);
  await mkdir(path);
  vi.advanceTimersByTime(15_000);
  await sleep(50);
  expect(reasons).toEqual([]);
  await rm(path, { recursive: true });
  await claim?.release();
});
