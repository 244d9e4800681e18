import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { describe, expect, it } from "vitest";

import { entry, runNode } from "./run-node.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const tfjs = path.join(packageFolder, "node_modules", "@tensorflow", "tfjs", "dist", "tf.node.js");

/** A module that makes the requests, one after the other, and prints an array of what came of each as JSON. */
const selectIn = (module: string, requests: readonly string[], prepare = ""): string => `
  import { createRequire } from "node:module";
  const tf = createRequire(${JSON.stringify(tfjs)})(${JSON.stringify(tfjs)});
  const { selectBackend } = await import(${JSON.stringify(pathToFileURL(module).href)});
  ${prepare}
  const outcomes = [];
  for (const request of ${JSON.stringify(requests)}) {
    try {
      const choice = await selectBackend(request);
      outcomes.push({ ...choice, current: tf.getBackend(), sum: tf.tensor1d([1, 2, 3]).sum().dataSync()[0] });
    } catch ({ code, details, remedy }) {
      outcomes.push({ code, details, remedy, current: tf.getBackend() });
    }
  }
  console.log(JSON.stringify(outcomes));
`;

/** A module that probes the backends after `prepare` and prints the probes and the current backend as JSON. */
const probeAfter = (prepare: string): string => `
  import { createRequire } from "node:module";
  const tf = createRequire(${JSON.stringify(tfjs)})(${JSON.stringify(tfjs)});
  const { probeBackends } = await import(${JSON.stringify(pathToFileURL(entry).href)});
  ${prepare}
  const probes = await probeBackends();
  console.log(JSON.stringify({ probes, current: tf.getBackend() }));
`;

// What --jitless does, but after the loader that reads TypeScript, which needs WebAssembly itself.
const withoutWebAssembly = "delete globalThis.WebAssembly;";

// No install script runs in this workspace, so tfjs-node is there and its addon is not.
const addonMissing = "@tensorflow/tfjs-node is installed, but its native addon is not.";

describe("selectBackend", () => {
  it("takes wasm where tfjs-node has no addon, says why, prints nothing, and lets the process end", async () => {
    const { stdout, stderr, exitCode } = await runNode(selectIn(entry, ["auto"]));
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([
      {
        name: "wasm",
        reason: "It is the first that works here of tensorflow, wasm, cpu.",
        tried: [{ name: "tensorflow", reason: addonMissing }],
        current: "wasm",
        sum: 6,
      },
    ]);
    expect(exitCode).toBe(0);
  });

  it("where WebAssembly is off, refuses wasm with the remedy and takes cpu by itself, without tfjs' banner", async () => {
    const { stdout, stderr } = await runNode(selectIn(entry, ["wasm", "auto"], withoutWebAssembly));
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject([
      { code: "BACKEND_UNAVAILABLE", remedy: expect.stringContaining("--jitless") },
      {
        name: "cpu",
        tried: [
          { name: "tensorflow", reason: addonMissing },
          { name: "wasm", reason: "WebAssembly is off in this Node." },
        ],
        current: "cpu",
        sum: 6,
      },
    ]);
  });

  it("keeps the current backend where the wasm module does not start", async () => {
    const outOfMemory = 'WebAssembly.instantiate = () => Promise.reject(new Error("out of memory"));';
    const { stdout } = await runNode(selectIn(entry, ["cpu", "wasm"], outOfMemory));
    expect(JSON.parse(stdout)).toMatchObject([
      { name: "cpu" },
      { code: "BACKEND_UNAVAILABLE", details: { backend: "wasm" }, current: "cpu" },
    ]);
  });

  it("takes the backend asked for; refuses tensorflow with the command that builds it, and changes nothing", async () => {
    const { stdout, stderr } = await runNode(selectIn(entry, ["cpu", "tensorflow"]));
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([
      { name: "cpu", reason: "It was asked for.", tried: [], current: "cpu", sum: 6 },
      {
        code: "BACKEND_UNAVAILABLE",
        details: { backend: "tensorflow", reason: addonMissing, remedy: expect.any(String) },
        remedy: expect.stringContaining("npm rebuild @tensorflow/tfjs-node"),
        current: "cpu",
      },
    ]);
  });

  it("names the package to add where tfjs-node is not installed", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "ckpt-backend-"));
    try {
      // This package's sources in a project that has all their dependencies but tfjs-node.
      await cp(path.join(packageFolder, "package.json"), path.join(folder, "package.json"));
      await cp(path.join(packageFolder, "tfjs.cjs"), path.join(folder, "tfjs.cjs"));
      await cp(path.join(packageFolder, "src"), path.join(folder, "src"), { recursive: true });
      for (const name of ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm", "@ckpt/manifest"]) {
        const link = path.join(folder, "node_modules", name);
        await mkdir(path.dirname(link), { recursive: true });
        await symlink(path.join(packageFolder, "node_modules", name), link, "dir");
      }
      const { stdout, stderr } = await runNode(selectIn(path.join(folder, "src", "index.ts"), ["tensorflow"]));
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toMatchObject([
        {
          code: "BACKEND_UNAVAILABLE",
          details: { backend: "tensorflow", reason: "@tensorflow/tfjs-node is not installed." },
          remedy: expect.stringContaining("npm install @tensorflow/tfjs-node"),
        },
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("leaves an uncaught error to Node: exit code 1, and none of Emscripten's source above the stack", async () => {
    const { stderr, exitCode } = await runNode(`
      const { selectBackend } = await import(${JSON.stringify(pathToFileURL(entry).href)});
      process.on("uncaughtException", () => {}).removeAllListeners("exit");
      await selectBackend("wasm");
      if (process.listenerCount("uncaughtException") !== 1) throw new Error("the user's own listener is gone");
      process.removeAllListeners("uncaughtException");
      setImmediate(() => { throw new Error("mine"); });
    `);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Error: mine");
    expect(stderr).not.toContain("tfjs-backend-wasm");
  });
});

describe("probeBackends", () => {
  it("tells about each backend and leaves the current one current", async () => {
    const { stdout, stderr } = await runNode(probeAfter('await tf.setBackend("cpu");'));
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      probes: [
        {
          name: "tensorflow",
          isAvailable: false,
          reason: addonMissing,
          remedy: expect.stringContaining("npm rebuild @tensorflow/tfjs-node"),
        },
        { name: "wasm", isAvailable: true },
        { name: "cpu", isAvailable: true },
      ],
      current: "cpu",
    });
  });

  it("leaves the one that auto would take where there was none", async () => {
    const { stdout } = await runNode(probeAfter(""));
    expect(JSON.parse(stdout)).toMatchObject({ current: "wasm" });
  });
});
