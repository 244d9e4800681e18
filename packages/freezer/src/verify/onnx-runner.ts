import { readFile } from "node:fs/promises";

import { exposeOnnxValues, type Graph } from "@ckpt/graph";
import { CkptError, type Signature, type TensorData } from "@ckpt/manifest";
import type * as onnxruntime from "onnxruntime-node";

import type { FormatRunner } from "./runner.js";

/** The part of the package that is used. */
type OnnxRuntime = Pick<typeof onnxruntime, "InferenceSession" | "Tensor">;

/** What parity records call the engine that runs ONNX. */
export const onnxEngine = "onnxruntime-node";

/**
 * Loads onnxruntime-node, which is an optional peer.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when it is not installed or does not load on this machine.
 */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new CkptError("ENGINE_UNAVAILABLE", { engine: onnxEngine, package: onnxEngine, reason }, { cause });
  }
}

/**
 * Opens a session on an ONNX file and the weights beside it, on one thread: probe batches are small.
 *
 * @param graph - What it was emitted from.
 */
export async function createOnnxRunner(
  runtime: OnnxRuntime,
  path: string,
  signature: Signature,
  graph: Graph,
): Promise<FormatRunner> {
  const session = await openSession(runtime, path);
  const toFeeds = (inputs: readonly TensorData[]): Record<string, onnxruntime.Tensor> =>
    Object.fromEntries(
      inputs.map((input, index) => [signature.inputs[index]?.name ?? "", toTensor(runtime, input)] as const),
    );
  return {
    engine: onnxEngine,
    graph,
    run: async (inputs) => {
      const results = await session.run(toFeeds(inputs));
      // By position: ONNX names a value once, so an output named like an input has another name there.
      return session.outputNames.map((name) => fromTensor(name, results[name]));
    },
    runValues: async (inputs) => {
      const exposed = exposeOnnxValues(await readFile(path), graph);
      const inner = await openSession(runtime, exposed.bytes);
      try {
        const results = await inner.run(toFeeds(inputs));
        return exposed.values.map(({ value: { node, output }, name }) => ({
          node,
          output,
          tensor: fromTensor(name, results[name]),
        }));
      } finally {
        await inner.release();
      }
    },
    dispose: () => session.release(),
  };
}

function openSession(
  { InferenceSession }: OnnxRuntime,
  model: string | Uint8Array,
): Promise<onnxruntime.InferenceSession> {
  const options: onnxruntime.InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Errors only: warnings are about optimizations that did not apply.
    logSeverityLevel: 3,
  };
  return typeof model === "string" ? InferenceSession.create(model, options) : InferenceSession.create(model, options);
}

function toTensor({ Tensor }: OnnxRuntime, { data, shape }: TensorData): onnxruntime.Tensor {
  if (data instanceof Float32Array) return new Tensor("float32", data, shape);
  return data instanceof Int32Array ? new Tensor("int32", data, shape) : new Tensor("bool", data, shape);
}

function fromTensor(name: string, tensor: onnxruntime.Tensor | undefined): TensorData {
  const data = tensor?.data;
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array) {
    return { data, shape: tensor?.dims ?? [] };
  }
  throw new CkptError("SIGNATURE_MISMATCH", {
    where: `ONNX output ${name}`,
    expected: "float32, int32 or bool",
    found: tensor?.type ?? "nothing",
  });
}
