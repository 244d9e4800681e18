import { type ArtifactFormat, CkptError, isCkptError } from "@ckpt/manifest";

import { type EngineName, engineNames, type InferenceEngine } from "./engine.js";
import { loadOnnxRuntimeEngine } from "./engines/onnxruntime-node.js";
import { loadTfjsNodeEngine } from "./engines/tfjs-node.js";
import { loadTfjsEngine } from "./engines/tfjs.js";

/** An engine by name, or `auto`: onnxruntime-node where it can, else tfjs. */
export type EngineChoice = EngineName | "auto";

/** The engine that was taken and why, in words. */
export interface EngineSelection {
  readonly engine: InferenceEngine;
  readonly reason: string;
}

/** The format that each engine runs. */
export const engineFormats: Readonly<Record<EngineName, ArtifactFormat>> = {
  "onnxruntime-node": "onnx",
  tfjs: "graph-model",
  "tfjs-node": "saved-model",
};

const loaders: Readonly<Record<EngineName, () => Promise<InferenceEngine>>> = {
  "onnxruntime-node": loadOnnxRuntimeEngine,
  tfjs: loadTfjsEngine,
  "tfjs-node": loadTfjsNodeEngine,
};

/**
 * Loads an engine's package.
 *
 * @throws {CkptError} ENGINE_UNAVAILABLE when the package is not installed or does not load.
 */
export function loadEngine(name: EngineName): Promise<InferenceEngine> {
  return loaders[name]();
}

/**
 * Takes the engine for an artifact that has these formats. `auto` is onnxruntime-node if there is ONNX and the package
 * loads, else tfjs if there is a GraphModel.
 *
 * @throws {CkptError} INVALID_OPTION when the artifact lacks the format, ENGINE_UNAVAILABLE when no package loads.
 */
export async function selectEngine(choice: EngineChoice, formats: readonly ArtifactFormat[]): Promise<EngineSelection> {
  if (choice !== "auto") {
    if (!formats.includes(engineFormats[choice])) throw invalidChoice(choice, formats);
    return { engine: await loadEngine(choice), reason: "asked for by name" };
  }
  const hasGraphModel = formats.includes("graph-model");
  let unavailable: CkptError<"ENGINE_UNAVAILABLE"> | undefined;
  if (formats.includes("onnx")) {
    try {
      return {
        engine: await loadEngine("onnxruntime-node"),
        reason: "the artifact has onnx, and onnxruntime-node loads",
      };
    } catch (error) {
      if (!hasGraphModel || !isCkptError(error, "ENGINE_UNAVAILABLE")) throw error;
      unavailable = error;
    }
  }
  if (!hasGraphModel) throw invalidChoice(choice, formats);
  return {
    engine: await loadEngine("tfjs"),
    reason:
      unavailable === undefined
        ? "the artifact has graph-model and no onnx"
        : `onnxruntime-node does not load (${unavailable.details.reason}), and the artifact has graph-model`,
  };
}

function invalidChoice(choice: EngineChoice, formats: readonly ArtifactFormat[]): CkptError {
  const possible = engineNames.filter((name) => formats.includes(engineFormats[name]));
  return new CkptError("INVALID_OPTION", {
    option: "engine",
    expected:
      possible.length === 0
        ? `an artifact in a format that an engine runs (${Object.values(engineFormats).join(", ")}), not only ${formats.join(", ")}`
        : `an engine for ${formats.join(", ")}: ${possible.join(", ")}`,
    found: choice,
  });
}
