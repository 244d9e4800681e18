import type { TensorData } from "@ckpt/manifest";
import type { InferenceSession, Tensor } from "onnxruntime-node";

import { serveCalls } from "./serve-calls.js";
import { timeCalls } from "./time-calls.js";
import type { EngineCalls, TypedTensor } from "./worker-message.js";

// The entry of the worker thread of onnxruntime-node. What it imports is little: it starts in 45 ms.

const sessions = new Map<number, InferenceSession>();
/** What inputs are copied to, by place and position. */
const memory = new Map<string, ArrayBuffer>();
let openedCount = 0;

// One thread per session: bits do not depend on the number of cores, and workers, not threads, use more of them.
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  // 3 is "error": warnings about the graph would be written to stderr past the caller.
  logSeverityLevel: 3,
};

serveCalls({ load, open, run, time, close });

async function load(): Promise<EngineCalls["load"]["response"]> {
  const { env } = await import("onnxruntime-node");
  env.logLevel = "error";
  return { version: env.versions.node ?? env.versions.common };
}

async function open({ path }: EngineCalls["open"]["request"]): Promise<EngineCalls["open"]["response"]> {
  const ort = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(path, sessionOptions);
  openedCount += 1;
  sessions.set(openedCount, session);
  return { session: openedCount, inputs: session.inputNames, outputs: session.outputNames };
}

async function run(request: EngineCalls["run"]["request"]): Promise<EngineCalls["run"]["response"]> {
  const ort = await import("onnxruntime-node");
  const session = sessionOf(request.session);
  const feeds: Record<string, Tensor> = {};
  for (const [index, [name, tensor]] of Object.entries(request.inputs).entries()) {
    feeds[name] = makeTensor(ort.Tensor, copyTensor(tensor, `${request.place} ${index}`));
  }
  const results = await session.run(feeds, request.outputs);
  const outputs: Record<string, TensorData> = {};
  for (const [name, tensor] of Object.entries(results)) {
    const { data } = tensor;
    if (!(data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array)) {
      throw new Error(`output ${name} is of type ${tensor.type}, which no signature has`);
    }
    // Copied: a transfer needs memory of JavaScript's own.
    outputs[name] = { data: data.slice(), shape: tensor.dims };
  }
  return outputs;
}

function time({ count, ...request }: EngineCalls["time"]["request"]): Promise<EngineCalls["time"]["response"]> {
  return timeCalls(count, () => run(request));
}

async function close({ session }: EngineCalls["close"]["request"]): Promise<undefined> {
  await sessionOf(session).release();
  sessions.delete(session);
  return undefined;
}

function sessionOf(id: number): InferenceSession {
  const session = sessions.get(id);
  if (session === undefined) throw new Error("the session is closed");
  return session;
}

/** ONNX Runtime rejects arrays over shared memory. The copy's memory is kept: fresh memory costs more than the copy. */
function copyTensor(tensor: TypedTensor, key: string): TypedTensor {
  const { data } = tensor;
  let buffer = memory.get(key);
  if (buffer === undefined || buffer.byteLength < data.byteLength) {
    buffer = new ArrayBuffer(data.byteLength);
    memory.set(key, buffer);
  }
  const bytes = new Uint8Array(buffer, 0, data.byteLength);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (data instanceof Float32Array) return { ...tensor, data: new Float32Array(buffer, 0, data.length) };
  if (data instanceof Int32Array) return { ...tensor, data: new Int32Array(buffer, 0, data.length) };
  return { ...tensor, data: bytes };
}

function makeTensor(tensorClass: typeof Tensor, tensor: TypedTensor): Tensor {
  const { data, shape } = tensor;
  if (data instanceof Float32Array) return new tensorClass("float32", data, shape);
  if (data instanceof Int32Array) return new tensorClass("int32", data, shape);
  return new tensorClass("bool", data, shape);
}
