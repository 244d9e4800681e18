import { execFile } from "node:child_process";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { formatPaths } from "@ckpt/manifest";
import { describe, expect, it } from "vitest";

import type { Session } from "../src/engine.js";
import { onnxWorkerEntry } from "../src/engines/onnxruntime-node.js";
import { openGraphModel } from "../src/engines/open-graph-model.js";
import { type EngineWorker, startEngineWorker } from "../src/engines/start-engine-worker.js";
import { openWorkerSession } from "../src/engines/worker-session.js";
import { loadEngine, selectEngine } from "../src/load-engine.js";
import { classifierSignature, makeArtifact } from "./make-artifact.js";
import { makeFolder } from "./make-folder.js";
import { makeClassSplit } from "./make-split.js";

const sourceFolder = fileURLToPath(new URL("../src", import.meta.url));
const registerTypescript = new URL("../../../scripts/register-typescript.mjs", import.meta.url).href;

// Its native addon is a download that fails on many machines; where it is there, this error cannot be seen.
const isTfjsNodeInstalled = await loadEngine("tfjs-node").then(
  () => true,
  () => false,
);

describe("selectEngine", () => {
  it("takes onnxruntime-node for ONNX, tfjs for a GraphModel, and says why", async () => {
    const both = await selectEngine("auto", ["graph-model", "onnx"]);
    expect([both.engine.name, both.reason]).toEqual([
      "onnxruntime-node",
      "the artifact has onnx, and onnxruntime-node loads",
    ]);
    const graphModel = await selectEngine("auto", ["graph-model", "graph-def"]);
    expect([graphModel.engine.name, graphModel.reason]).toEqual(["tfjs", "the artifact has graph-model and no onnx"]);
    expect((await selectEngine("tfjs", ["graph-model", "onnx"])).engine.name).toBe("tfjs");
  });

  it("refuses an engine that has no format of the artifact, and says which have", async () => {
    await expect(selectEngine("tfjs", ["onnx"])).rejects.toMatchObject({
      code: "INVALID_OPTION",
      details: { expected: "an engine for onnx: onnxruntime-node", found: "tfjs" },
    });
    await expect(selectEngine("auto", ["graph-def"])).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(selectEngine("auto", ["saved-model"])).rejects.toMatchObject({
      details: { expected: "an engine for saved-model: tfjs-node" },
    });
  });

  it.skipIf(isTfjsNodeInstalled)("names the package of an engine that does not load", async () => {
    await expect(selectEngine("tfjs-node", ["saved-model"])).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      details: { engine: "tfjs-node", package: "@tensorflow/tfjs-node" },
      remedy: expect.stringContaining("npm install @tensorflow/tfjs-node") as string,
    });
  });

  it("falls back to tfjs where onnxruntime-node is not installed, or says so", async () => {
    const folder = await makeInstallation(["@ckpt/manifest", "@tensorflow/tfjs"]);
    const script = `
      import { loadEngine, selectEngine } from "./src/load-engine.js";
      const { engine, reason } = await selectEngine("auto", ["onnx", "graph-model"]);
      const error = await selectEngine("auto", ["onnx"]).catch((error) => error);
      console.log(JSON.stringify({ name: engine.name, reason, code: error.code, package: error.details.package }));
    `;
    const result = JSON.parse(await runScript(folder, script)) as Record<string, string>;
    expect(result).toMatchObject({ name: "tfjs", code: "ENGINE_UNAVAILABLE", package: "onnxruntime-node" });
    expect(result["reason"]).toMatch(/^onnxruntime-node does not load \(Cannot find package 'onnxruntime-node'/);
  });
});

describe("the engine onnxruntime-node", () => {
  it("leaves the event loop of its caller alive during inference", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const engine = await loadEngine("onnxruntime-node");
    const session = await engine.open(artifact, classifierSignature);
    const split = makeClassSplit(300_000);
    const { inputs } = await split.read(0, split.rowCount);
    let turns = 0;
    let isRunning = true;
    const countTurn = (): void => {
      turns += 1;
      if (isRunning) setImmediate(countTurn);
    };
    const prediction = session.predict(inputs);
    setImmediate(countTurn);
    const outputs = await prediction;
    isRunning = false;
    await session.close();
    expect(outputs["probabilities"]?.shape).toEqual([300_000, 3]);
    // In this thread the whole inference would be within a turn or two.
    expect(turns).toBeGreaterThan(10);
  });

  it("lets the process end with sessions open", async () => {
    const folder = await makeInstallation(["@ckpt/manifest", "@tensorflow/tfjs", "onnxruntime-node"]);
    await makeArtifact(folder, "a", 1);
    const script = `
      import { loadEngine } from "./src/load-engine.js";
      const engine = await loadEngine("onnxruntime-node");
      await engine.open("./a", ${JSON.stringify(classifierSignature)});
      console.log("opened");
    `;
    expect(await runScript(folder, script)).toBe("opened\n");
  });

  it("lets the process end in the middle of an inference, with the exit code that was set", async () => {
    const folder = await makeInstallation(["@ckpt/manifest", "@tensorflow/tfjs", "onnxruntime-node"]);
    await makeArtifact(folder, "a", 1);
    const script = `
      import { loadEngine } from "./src/load-engine.js";
      const engine = await loadEngine("onnxruntime-node");
      const session = await engine.open("./a", ${JSON.stringify(classifierSignature)});
      const rowCount = 300_000;
      void session.predict({ features: { data: new Float32Array(4 * rowCount), shape: [rowCount, 4] } });
      setTimeout(() => process.exit(3), 1);
    `;
    await expect(runScript(folder, script)).rejects.toMatchObject({ code: 3, stderr: "" });
  });

  it.each([
    ["dies in a call", "process.exit(7)", "the worker thread ended with exit code 7"],
    ["throws", "throw new Error('out of order')", "out of order"],
  ])("fails, and does not hang, when its thread %s", async (_name, statement, reason) => {
    const folder = await makeFolder();
    const entry = join(folder, "worker.mjs");
    await writeFile(
      entry,
      `import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { ${statement}; });`,
    );
    const worker = startEngineWorker(pathToFileURL(entry));
    const failure = { code: "ENGINE_FAILED", details: { engine: "onnxruntime-node", artifact: folder, reason } };
    await expect(openOnnx(worker, folder)).rejects.toMatchObject(failure);
    expect(worker.isAlive()).toBe(false);
    await expect(openOnnx(worker, folder)).rejects.toMatchObject(failure);
  });

  it("fails when the entry of its thread does not load", async () => {
    const worker = startEngineWorker(new URL("file:///nowhere/worker.mjs"));
    await expect(openOnnx(worker, "a")).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      details: { reason: expect.stringContaining("Cannot find module '/nowhere/worker.mjs'") as string },
    });
  });

  it("does not take the process along when its thread is stopped in a call", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const worker = startEngineWorker(onnxWorkerEntry);
    const session = await openOnnx(worker, artifact);
    const { inputs } = await makeClassSplit(100_000).read(0, 100_000);
    const running = session.predict(inputs).then(
      () => "answered",
      () => "rejected",
    );
    await worker.stop();
    expect(["answered", "rejected"]).toContain(await running);
    await expect(session.predict(inputs)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });

  it("fails with ONNX Runtime's reason on a corrupt model and on wrong inputs, and goes on", async () => {
    const folder = await makeFolder();
    const corrupt = await makeArtifact(folder, "corrupt", 1, { onnx: Buffer.from("not a model") });
    const artifact = await makeArtifact(folder, "a", 1);
    const engine = await loadEngine("onnxruntime-node");
    await expect(engine.open(corrupt, classifierSignature)).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      details: { engine: "onnxruntime-node", artifact: corrupt, reason: expect.stringContaining("Protobuf") as string },
    });
    const session = await engine.open(artifact, classifierSignature);
    const wrong = { features: { data: new Float32Array(6), shape: [2, 3] } };
    await expect(session.predict(wrong)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    const right = { features: { data: new Float32Array(8), shape: [2, 4] } };
    expect((await session.predict(right))["logits"]?.shape).toEqual([2, 3]);
    await session.close();
    await expect(session.predict(right)).rejects.toMatchObject({ details: { reason: "the session is closed" } });
  });

  it("refuses a model with other names than the signature", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    const engine = await loadEngine("onnxruntime-node");
    const [input] = classifierSignature.inputs;
    const signature = {
      ...classifierSignature,
      inputs: [{ ...input, name: "x", dtype: "float32", shape: [] } as const],
    };
    await expect(engine.open(artifact, signature)).rejects.toMatchObject({
      code: "SIGNATURE_MISMATCH",
      details: { expected: "inputs x", found: "features" },
    });
  });
});

describe("the engine tfjs", () => {
  it("keeps no tensor of a batch", async () => {
    const tf = await import("@tensorflow/tfjs");
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1);
    await tf.ready();
    const before = tf.memory().numTensors;
    const model = await openGraphModel(tf, join(artifact, formatPaths["graph-model"]), classifierSignature);
    const open = tf.memory().numTensors;
    const { inputs } = await makeClassSplit(10).read(0, 10);
    await model.predict(inputs);
    expect(tf.memory().numTensors).toBe(open);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(["cpu", "wasm"])("has threads on %s that compute what its caller's would", async (backend) => {
    const tf = await import("@tensorflow/tfjs");
    const current = tf.getBackend();
    if (backend === "wasm") await import("@tensorflow/tfjs-backend-wasm");
    await tf.setBackend(backend);
    try {
      const artifact = await makeArtifact(await makeFolder(), "a", 1);
      const path = join(artifact, formatPaths["graph-model"]);
      const { inputs } = await makeClassSplit(10).read(0, 10);
      const own = await openGraphModel(tf, path, classifierSignature);
      const expected = await own.predict(inputs);
      own.dispose();
      const engine = await loadEngine("tfjs");
      expect([engine.hasThreads, engine.version]).toEqual([true, `${tf.version.tfjs}+${backend}`]);
      const before = tf.memory().numTensors;
      for (const thread of [0, 1]) {
        const session = await engine.open(artifact, classifierSignature, thread);
        expect(await session.predict(inputs)).toEqual(expected);
        expect(await session.predict(inputs)).toEqual(expected);
        expect(await session.time(inputs, 3)).toHaveLength(3);
        await session.close();
        await expect(session.predict(inputs)).rejects.toMatchObject({ details: { reason: "the session is closed" } });
      }
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      await tf.setBackend(current);
    }
  });

  it("runs in its caller's thread on a backend that a thread cannot have", async () => {
    const tf = await import("@tensorflow/tfjs");
    const current = tf.getBackend();
    const artifact = await makeArtifact(await makeFolder(), "a", 1);
    const { inputs } = await makeClassSplit(10).read(0, 10);
    const threaded = await (await loadEngine("tfjs")).open(artifact, classifierSignature);
    const expected = await threaded.predict(inputs);
    tf.registerBackend("own", () => tf.findBackend("cpu"));
    for (const kernel of tf.getKernelsForBackend("cpu")) tf.registerKernel({ ...kernel, backendName: "own" });
    await tf.setBackend("own");
    try {
      const engine = await loadEngine("tfjs");
      expect([engine.hasThreads, engine.version]).toEqual([false, `${tf.version.tfjs}+own`]);
      const session = await engine.open(artifact, classifierSignature);
      expect(await session.predict(inputs)).toEqual(expected);
      await session.close();
    } finally {
      await tf.setBackend(current);
    }
  });

  it("reads no weights from outside the artifact", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1, { shard: "../../weights.bin" });
    const engine = await loadEngine("tfjs");
    await expect(engine.open(artifact, classifierSignature)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      details: { named: "../../weights.bin" },
    });
  });

  it("runs a GraphModel with a loop as it runs one without", async () => {
    const folder = await makeFolder();
    const engine = await loadEngine("tfjs");
    const { inputs } = await makeClassSplit(5).read(0, 5);
    const outputs = [];
    for (const hasLoop of [false, true]) {
      const session = await engine.open(
        await makeArtifact(folder, `loop-${hasLoop}`, 1, { hasLoop }),
        classifierSignature,
      );
      outputs.push(await session.predict(inputs));
      await session.close();
    }
    expect(outputs[1]).toEqual(outputs[0]);
  });

  it("fails with the reason on a GraphModel that does not load", async () => {
    const folder = await makeFolder();
    const artifact = await makeArtifact(folder, "a", 1, { weights: {} });
    const engine = await loadEngine("tfjs");
    await expect(engine.open(artifact, classifierSignature)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });
});

function openOnnx(worker: EngineWorker, artifact: string): Promise<Session> {
  const path = join(artifact, formatPaths.onnx);
  return openWorkerSession(worker, { engine: "onnxruntime-node", artifact, path, signature: classifierSignature });
}

/** A project of its own with a copy of the sources, in which only these packages are installed. */
async function makeInstallation(packages: readonly string[]): Promise<string> {
  const folder = await makeFolder();
  await cp(sourceFolder, join(folder, "src"), { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  for (const name of packages) {
    const target = join(folder, "node_modules", name);
    await mkdir(dirname(target), { recursive: true });
    await symlink(join(sourceFolder, "..", "node_modules", name), target);
  }
  return folder;
}

async function runScript(folder: string, script: string): Promise<string> {
  await writeFile(join(folder, "script.mjs"), script);
  const flags = ["--conditions=@ckpt/source", "--import", registerTypescript];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "script.mjs"], { cwd: folder });
  return stdout;
}
