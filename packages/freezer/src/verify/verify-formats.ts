import type { Graph, GraphTemplate } from "@ckpt/graph";
import {
  type ArtifactFormat,
  CkptError,
  isCkptError,
  type ParityRecord,
  type Signature,
  type TensorData,
} from "@ckpt/manifest";

import type { UnverifiedFormat } from "../freeze-options.js";
import { compareOutputs, mergeErrors, noError, type OutputError } from "./compare-outputs.js";
import { onnxEngine } from "./onnx-runner.js";
import { openFormat } from "./open-format.js";
import { makeProbeInputs } from "./probe-inputs.js";
import type { Runner } from "./runner.js";
import { tfjsEngine } from "./tfjs-runner.js";

/** Batch sizes that the capture does not use; 1 is the one that broadcasts. */
const probeBatchSizes: readonly number[] = [1, 5, 17];

/** What a verification found. */
export interface Verification {
  readonly parity: readonly ParityRecord[];
  readonly unverified: readonly UnverifiedFormat[];
}

/** What was written, what it is compared with, and how close it has to be. */
export interface VerifyFormatsOptions {
  /** The folder that holds the formats as they were written. */
  readonly folder: string;
  readonly formats: readonly ArtifactFormat[];
  readonly graph: Graph;
  readonly signature: Signature;
  /** What open dimensions other than the batch are to be, in a run or several. */
  readonly probeShapes: GraphTemplate["probeShapes"];
  /** The model that was frozen. */
  readonly reference: Runner;
  readonly tolerance: number;
  /** Where the artifact will stand; named in errors. */
  readonly artifact: string;
}

/**
 * Runs every format, from the very bytes written, on inputs that are the same each time, and compares every output
 * with the model's own.
 *
 * @throws {CkptError} PARITY_FAILED at the first output beyond the tolerance; ENGINE_FAILED when an engine does not
 *   accept or run what was written; SIGNATURE_MISMATCH when an output's shape is another.
 */
export async function verifyFormats(options: VerifyFormatsOptions): Promise<Verification> {
  const { signature, probeShapes } = options;
  const probes: Probe[] = [];
  const batchSizes = chooseBatchSizes(signature);
  for (let index = 0; index < Math.max(batchSizes.length, probeShapes.length); index++) {
    const start = index % probeShapes.length;
    const shapes = [...probeShapes.slice(start), ...probeShapes.slice(0, start)];
    probes.push(await runReference(batchSizes[index % batchSizes.length] ?? 1, shapes, options));
  }
  const parity: ParityRecord[] = [];
  const unverified: UnverifiedFormat[] = [];
  for (const format of options.formats) {
    const result = await verifyFormat(format, probes, options);
    if ("reason" in result) unverified.push(result);
    else parity.push(...result.parity);
  }
  return { parity, unverified };
}

/** One batch with what the model itself makes of it. */
interface Probe {
  readonly batchSize: number;
  readonly inputs: readonly TensorData[];
  readonly expected: readonly TensorData[];
}

// At the first of the shapes that the model takes: one may have limits, a table of positions ends somewhere.
async function runReference(
  batchSize: number,
  probeShapes: GraphTemplate["probeShapes"],
  { graph, signature, reference }: VerifyFormatsOptions,
): Promise<Probe> {
  let refusal: unknown;
  for (const shapes of probeShapes) {
    const specs = signature.inputs.map(({ name, dtype, shape }, input) => ({
      name,
      dtype,
      shape: shapes[input] ?? shape,
    }));
    const inputs = makeProbeInputs(graph, specs, batchSize);
    try {
      return { batchSize, inputs, expected: await reference.run(inputs) };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}

// A model whose batch is fixed runs at that size only.
function chooseBatchSizes({ inputs }: Signature): readonly number[] {
  const fixed = inputs.map(({ shape }) => shape[0]).find((size) => typeof size === "number");
  return fixed === undefined ? probeBatchSizes : [fixed];
}

async function verifyFormat(
  format: ArtifactFormat,
  probes: readonly Probe[],
  options: VerifyFormatsOptions,
): Promise<{ readonly parity: readonly ParityRecord[] } | UnverifiedFormat> {
  const { signature, artifact } = options;
  const fail = (engine: string) => (cause: unknown) => {
    throw toEngineError(cause, engine, `${artifact} (${format})`);
  };
  const runner = await openFormat(format, options).catch(fail(format === "onnx" ? onnxEngine : tfjsEngine));
  if ("reason" in runner) return runner;
  const { engine } = runner;
  try {
    const errors = signature.outputs.map(() => noError);
    for (const { inputs, expected } of probes) {
      const found = await runner.run(inputs).catch(fail(engine));
      for (const [index, { name }] of signature.outputs.entries()) {
        const error = compareTensors(`${artifact}: ${format} output ${name}`, expected[index], found[index]);
        errors[index] = mergeErrors(errors[index] ?? noError, error);
      }
    }
    const batchSizes = [...new Set(probes.map(({ batchSize }) => batchSize))];
    const parity = signature.outputs.map(({ name: output }, index): ParityRecord => {
      const { maxAbsoluteError, maxRelativeError, magnitude } = errors[index] ?? noError;
      // float32 keeps about seven digits: an output in the thousands cannot be right to 1e-5.
      const tolerance = options.tolerance * Math.max(1, magnitude);
      if (maxAbsoluteError > tolerance) {
        throw new CkptError("PARITY_FAILED", { artifact, format, output, maxAbsoluteError, tolerance });
      }
      return { format, engine, output, batchSizes, maxAbsoluteError, maxRelativeError };
    });
    return { parity };
  } finally {
    await runner.dispose();
  }
}

function toEngineError(cause: unknown, engine: string, artifact: string): CkptError {
  if (isCkptError(cause)) return cause;
  return new CkptError("ENGINE_FAILED", { engine, artifact, reason: (cause as Error).message }, { cause });
}

function compareTensors(where: string, expected: TensorData | undefined, found: TensorData | undefined): OutputError {
  if (expected === undefined || found === undefined || !isSameShape(expected.shape, found.shape)) {
    throw new CkptError("SIGNATURE_MISMATCH", { where, expected: describe(expected), found: describe(found) });
  }
  return compareOutputs(expected.data, found.data);
}

function isSameShape(first: readonly number[], second: readonly number[]): boolean {
  return first.length === second.length && first.every((size, axis) => size === second[axis]);
}

function describe(tensor: TensorData | undefined): string {
  return tensor === undefined ? "nothing" : `[${tensor.shape.join(", ")}]`;
}
