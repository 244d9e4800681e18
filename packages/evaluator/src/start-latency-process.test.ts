import { expect, it, onTestFinished } from "vitest";

import { startLatencyProcess } from "./start-latency-process.js";

it("fails what it is asked when it does not start", async () => {
  const { execPath } = process;
  process.execPath = "/nowhere/node";
  onTestFinished(() => void (process.execPath = execPath));
  const child = startLatencyProcess("onnxruntime-node", "a");
  const failure = {
    code: "ENGINE_FAILED",
    details: { artifact: "a", reason: expect.stringContaining("ENOENT") as string },
  };
  await expect(child.ask({ kind: "run", count: 1 }, "ran")).rejects.toMatchObject(failure);
  await expect(child.ask({ kind: "run", count: 1 }, "ran")).rejects.toMatchObject(failure);
  child.stop();
});
